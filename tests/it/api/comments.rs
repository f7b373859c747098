//! Which comments are taken out of the files in the binary. `tests/e2e/sent.test.js` proves of all files that they stay the same programs.

#[path = "../../../build/comments.rs"]
mod stripping;

use stripping::without_comments;

fn check(rows: &[(&str, &str)]) {
    for (text, left) in rows {
        assert_eq!(without_comments(text), *left, "{text:?}");
        assert_eq!(text.matches('\n').count(), left.matches('\n').count(), "{text:?}");
    }
}

#[test]
fn a_comment_that_has_its_lines_for_itself_leaves_them_empty() {
    check(&[
        ("// one\na();", "\na();"),
        ("a();\n  // two\n\tb();\n", "a();\n\n\tb();\n"),
        ("/** @type {A} */\nlet a;", "\nlet a;"),
        ("/**\n * // a `\n *\n */\nlet a;", "\n\n\n\nlet a;"),
        ("/* a\n   b */\r\nlet a;\r\n", "\n\nlet a;\r\n"),
        ("let a = '`' + '`'; // `it` \n// b", "let a = '`' + '`'; // `it` \n"),
    ]);
}

#[test]
fn any_other_stays() {
    for text in [
        "let a; // one",
        "/** @type {A} */ (a).b();",
        "/** one */ let a; /** two */",
        "let a = '// no';",
        "const a = 'http://host';",
        "/*! a licence */\nlet a;",
        "/*!\n * a licence\n */\nlet a;",
        "//# sourceMappingURL=a.map",
        "#!/usr/bin/env node",
        "a /\n/ b/.test(c)",
        "/* one\n two */ let a;\n// three",
        "/* one",
    ] {
        // What follows one that ends behind code is left alone, too.
        assert_eq!(without_comments(text), text);
    }
}

#[test]
fn nothing_changes_from_the_first_line_on_that_may_not_end_with_itself() {
    check(&[
        ("// one\nlet a = `\n// two\n`;\n// three", "\nlet a = `\n// two\n`;\n// three"),
        ("// one\nlet a = `${`\n// two\n`}`;", "\nlet a = `${`\n// two\n`}`;"),
        ("// one\nlet a; /* two\n// three */ b();", "\nlet a; /* two\n// three */ b();"),
        ("// one\nlet a = 'two \\\n// three';", "\nlet a = 'two \\\n// three';"),
        ("let a = `one`;\n// two\nlet b = `${c}\n// three`;", "let a = `one`;\n\nlet b = `${c}\n// three`;"),
    ]);
}
