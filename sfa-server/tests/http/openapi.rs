//! The document about the API.

use serde_json::Value;

use crate::desk::command;
use crate::house::House;

/// After an intended change: SFA_UPDATE_SNAPSHOTS=1 cargo test --workspace --test http openapi
const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/openapi.json");

#[test]
fn the_document_changes_on_purpose_only() {
    let document = sfa_server::http::openapi() + "\n";
    if std::env::var_os("SFA_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(SNAPSHOT, &document).unwrap();
    }
    assert!(std::fs::read_to_string(SNAPSHOT).unwrap() == document, "the API is not what {SNAPSHOT} says");
}

#[test]
fn every_operation_says_what_it_does_needs_and_answers() {
    let document: Value = serde_json::from_str(&sfa_server::http::openapi()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut names = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let what = format!("{method} {path}");
            assert!(operation["summary"].is_string() && operation["x-sfa"]["right"].is_string(), "{what}");
            assert!(operation["responses"]["default"].is_object(), "{what}");
            assert!(
                names.insert(operation["operationId"].as_str().unwrap().to_owned()),
                "{what}: a name of its own"
            );
            let text = operation.to_string();
            for reference in text.split("#/components/schemas/").skip(1) {
                let name = reference.split('"').next().unwrap();
                assert!(schemas.contains_key(name), "{what}: {name}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn server_and_command_line_print_the_same_document() {
    let house = House::open().await;
    let served = house.anybody().get("/api/v1/openapi.json").await;
    assert_eq!(served.header("content-type"), "application/json");
    let printed = command().arg("openapi").output().unwrap();
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(served.value(), printed);
}
