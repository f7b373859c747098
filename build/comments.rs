//! JavaScript without its comments.

/// The same program, with an empty line in place of each line that is only part of a comment: what a browser says of a line is true of
/// the source, too.
///
/// The rule is made to be safe rather than complete. A comment goes if it has its lines for itself. From the first line on in which
/// something else may begin that spans lines (a template, a comment behind code, an escaped end of line), everything stays as it is.
/// `tests/e2e/sent.test.js` compares what is left of each file with its source by a parser.
pub fn without_comments(text: &str) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut kept = Vec::with_capacity(lines.len());
    while let Some(line) = lines.get(kept.len()) {
        match comment_at(&lines[kept.len()..]) {
            0 if spans_lines(line) => break,
            0 => kept.push(*line),
            comment => kept.extend(std::iter::repeat_n("", comment)),
        }
    }
    kept.extend(&lines[kept.len()..]);
    kept.join("\n")
}

/// How many lines there are in the comment that begins here and has its lines for itself; 0 if none does. Licenses (`/*!`) and
/// what tools read (`//#`) stay.
fn comment_at(lines: &[&str]) -> usize {
    let first = lines[0].trim();
    if first.starts_with("//") {
        return usize::from(!first.starts_with("//#"));
    }
    let Some(rest) = first.strip_prefix("/*").filter(|rest| !rest.starts_with('!')) else { return 0 };
    if let Some(end) = rest.find("*/") {
        return usize::from(end + 2 == rest.len());
    }
    let last = lines[1..].iter().position(|line| line.contains("*/"));
    let last = last.map(|at| at + 1).filter(|at| lines[*at].find("*/") == lines[*at].trim_end().len().checked_sub(2));
    last.map_or(0, |at| at + 1)
}

/// Whether something may begin in this line that ends in another.
fn spans_lines(line: &str) -> bool {
    let opens_comment = line.rfind("/*").is_some_and(|at| !line[at + 2..].contains("*/"));
    let count = |text: &str| line.matches(text).count();
    let opens_template = count("`") % 2 == 1 || (count("`") > 0 && count("${") > count("}"));
    opens_template || opens_comment || line.trim_end().ends_with('\\')
}
