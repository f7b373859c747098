//! The committed OpenAPI document is current and complete.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;

fn document() -> Value {
    serde_json::from_str(&signalpost::api::schema::openapi::document().to_pretty_json().unwrap()).unwrap()
}

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operation = |path: &str, method: &str, operation| (format!("{method} {path}"), operation);
    let methods = ["get", "put", "post", "patch", "delete"];
    let of_path = |(path, item): (&String, &'_ Value)| {
        let path = path.clone();
        methods
            .iter()
            .filter(|method| item.get(**method).is_some())
            .map(|method| (path.clone(), *method))
            .collect::<Vec<_>>()
    };
    let found: Vec<(String, &str)> = paths.iter().flat_map(of_path).collect();
    found.iter().map(|(path, method)| operation(path, method, &document["paths"][path][*method])).collect()
}

#[test]
fn the_committed_document_matches_the_server() {
    let committed =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/openapi.json")).unwrap();
    let ours = signalpost::api::schema::openapi::document().to_pretty_json().unwrap() + "\n";
    assert!(committed == ours, "run: cargo run -- openapi > openapi/openapi.json");
}

#[test]
fn every_reference_resolves() {
    let document = document();
    let mut references = BTreeSet::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 10, "{references:?}");
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a reference within the document");
        assert!(document.pointer(pointer).is_some(), "{reference} dangles");
    }
}

fn collect_references(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                references.insert(reference.clone());
            }
            members.values().for_each(|member| collect_references(member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, references)),
        _ => {}
    }
}

#[test]
fn every_operation_documents_a_summary_a_success_and_its_errors() {
    let document = document();
    let operations = operations(&document);
    assert!(operations.len() >= 15, "{}", operations.len());
    for (name, operation) in operations {
        assert!(operation["summary"].as_str().is_some_and(|summary| summary.len() > 5), "{name} has no summary");
        assert!(operation["operationId"].is_string(), "{name}");
        let responses = operation["responses"].as_object().unwrap();
        // The WebSocket handshake answers 101.
        let good = |status: &str| status.starts_with(['1', '2']);
        assert!(responses.keys().any(|status| good(status)), "{name} has no good answer");
        let errors: Vec<_> = responses.iter().filter(|(status, _)| !good(status)).collect();
        assert!(errors.len() > 1 || name.contains("z") || name.contains("/metrics"), "{name} has no error answers");
        for (status, response) in errors {
            let content = &response["content"]["application/problem+json"];
            assert_eq!(content["schema"]["$ref"], "#/components/schemas/Problem", "{name} {status}");
            assert!(!content["examples"].as_object().unwrap().is_empty(), "{name} {status}");
        }
        if let Some(body) = operation.get("requestBody") {
            let content = body["content"].as_object().unwrap().values().next().unwrap();
            let described = content.get("example").or(content.get("examples")).is_some();
            assert!(described || name.ends_with("/leave"), "{name} has no example of its body");
        }
    }
}

/// `signalpost openapi | head` used to panic.
#[test]
fn printing_the_document_to_a_closed_pipe_succeeds() {
    let mut printing = std::process::Command::new(env!("CARGO_BIN_EXE_signalpost"))
        .arg("openapi")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(printing.stdout.take());
    let ended = printing.wait_with_output().unwrap();
    assert!(ended.status.success() && ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
}
