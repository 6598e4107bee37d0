//! How `curl` does what an operation is for.

use std::fmt::Write as _;

use serde_json::Value;

use super::schema::Schemas;
use crate::http::rights::Right;

/// A command for it, as docs/api.md writes them: `$SFA` is the address of the server.
pub(super) fn command(method: &str, path: &str, operation: &Value, schemas: &Schemas<'_>) -> String {
    let mut command = format!("curl \"$SFA{}\"", address(path, operation));
    let right = operation["x-sfa"]["right"].as_str().and_then(Right::named);
    match right.map(Right::token_scope) {
        Some(Some(_)) => command.push_str(" -H \"Authorization: Bearer $TOKEN\""),
        Some(None) => command.push_str(" -b cookies.txt"),
        None => {}
    }
    let content = operation["requestBody"]["content"].as_object();
    // Where there is a choice, the file itself is simpler than a form with it.
    let body = content.and_then(|kinds| {
        let file = kinds.iter().find(|(kind, _)| kind.ends_with("octet-stream"));
        file.or_else(|| kinds.iter().next())
    });
    let mut says_post = false;
    match body {
        Some((kind, media)) if kind == "application/json" => {
            let example = schemas.example(&media["schema"], true).to_string();
            write!(command, " \\\n  --json '{}'", example.replace('\'', "'\\''"))
                .expect("strings take everything");
            says_post = true;
        }
        Some((kind, _)) if kind.starts_with("multipart/") => {
            command.push_str(" \\\n  -F file=@FILE");
            says_post = true;
        }
        Some((kind, _)) => {
            write!(command, " \\\n  -H \"content-type: {kind}\" --data-binary @FILE")
                .expect("strings take everything");
            says_post = true;
        }
        None => {}
    }
    match (method, says_post) {
        ("get", false) | ("post", true) => {}
        ("head", _) => command.push_str(" --head"),
        (method, _) => write!(command, " -X {}", method.to_uppercase()).expect("strings take everything"),
    }
    command
}

/// Names become variables, and what has to be asked is asked.
fn address(path: &str, operation: &Value) -> String {
    let mut address = String::new();
    for part in path.split('/').skip(1) {
        match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => write!(address, "/${}", name.trim_start_matches('*').to_uppercase()),
            None => write!(address, "/{part}"),
        }
        .expect("strings take everything");
    }
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let asked =
        parameters.iter().filter(|parameter| parameter["in"] == "query" && parameter["required"] == true);
    for (place, parameter) in asked.enumerate() {
        let before = if place == 0 { '?' } else { '&' };
        let example = parameter["example"].as_str().unwrap_or("…");
        let name = parameter["name"].as_str().unwrap_or_default();
        write!(address, "{before}{name}={example}").expect("strings take everything");
    }
    address
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn commands_send_what_an_operation_needs() {
        let document = json!({});
        let schemas = Schemas::of(&document);
        let read = json!({"x-sfa": {"right": "songs.read"}, "parameters": [
            {"name": "topic", "in": "query", "required": true, "example": "library"},
            {"name": "after", "in": "query", "required": false},
        ]});
        assert_eq!(
            command("get", "/live/{id}", &read, &schemas),
            "curl \"$SFA/live/$ID?topic=library\" -H \"Authorization: Bearer $TOKEN\""
        );
        let body = json!({"application/json": {"schema": {"type": "string", "example": "it's"}}});
        let change = json!({"x-sfa": {"right": "account"}, "requestBody": {"content": body}});
        assert_eq!(
            command("patch", "/me", &change, &schemas),
            "curl \"$SFA/me\" -b cookies.txt \\\n  --json '\"it'\\''s\"' -X PATCH"
        );
        let open = json!({"x-sfa": {"right": "nothing"}});
        assert_eq!(command("post", "/x", &open, &schemas), "curl \"$SFA/x\" -X POST");
    }
}
