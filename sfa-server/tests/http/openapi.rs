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

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_stands_on_the_page_for_people() {
    let house = House::open().await;
    let nobody = house.anybody();
    let page = nobody.get("/api/v1/reference").await;
    assert_eq!((page.status, page.header("content-type").as_str()), (200, "text/html; charset=utf-8"));
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    let document: Value = serde_json::from_str(&sfa_server::http::openapi()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            let start = text.find(&format!("<article id=\"{id}\">"));
            let article = text[start.unwrap_or_else(|| panic!("{method} {path}"))..]
                .split("</article>")
                .next()
                .unwrap();
            assert!(article.contains(&format!("<code>{path}</code>")), "{method} {path}");
            assert!(article.contains("curl &quot;$SFA/"), "{method} {path}");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                assert!(article.contains(&format!(">{name}</code>")), "{method} {path}: {name}");
            }
        }
    }
    // Nothing is linked to that is not there.
    for target in text.split("href=\"#").skip(1) {
        let target = target.split('"').next().unwrap();
        assert!(text.contains(&format!("id=\"{target}\"")), "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_for_people_runs_and_shows_nothing_of_others() {
    let house = House::open().await;
    let nobody = house.anybody();
    let page = nobody.get("/api/v1/reference").await;
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(!text.contains("style=\"") && !text.contains("<style") && text.matches("<script").count() == 1);
    for (name, kind) in
        [("page.css", "text/css; charset=utf-8"), ("page.js", "text/javascript; charset=utf-8")]
    {
        let path = format!("/api/v1/reference/{name}");
        assert!(text.contains(&format!("\"{path}\"")), "{path}");
        let file = nobody.get(&path).await;
        assert_eq!((file.status, file.header("content-type").as_str()), (200, kind));
    }
    assert_eq!(nobody.get("/api/v1/reference/mod.rs").await.status, 404);
}
