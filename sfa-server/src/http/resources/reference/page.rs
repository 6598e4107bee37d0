//! The whole page.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::curl;
use super::html::{self, code, escape, line, prose};
use super::schema::Schemas;
use crate::http::rights::Right;

/// An operation, and where it is.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    about: &'a Value,
}

impl Operation<'_> {
    fn text(&self, name: &str) -> &str {
        self.about[name].as_str().unwrap_or_default()
    }
}

/// Operations by their groups, both in order.
fn groups(document: &Value) -> BTreeMap<&str, Vec<Operation<'_>>> {
    let mut groups: BTreeMap<&str, Vec<Operation<'_>>> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, about) in item.as_object().into_iter().flatten() {
            let group = about["tags"][0].as_str().unwrap_or("other");
            groups.entry(group).or_default().push(Operation { method, path, about });
        }
    }
    groups
}

/// The document as a page.
pub(super) fn write(document: &Value) -> String {
    let (groups, schemas) = (groups(document), Schemas::of(document));
    let text = |name: &str| document["info"][name].as_str().unwrap_or_default();
    let (title, version) = (escape(text("title")), escape(text("version")));
    let (mut contents, mut main) = (String::new(), String::new());
    for (group, operations) in &groups {
        let name = escape(group);
        write!(contents, "<section><h2><a href=\"#group-{name}\">{name}</a></h2><ul>").expect(FITS);
        write!(
            main,
            "<section class=\"group\" aria-labelledby=\"group-{name}\"><h2 id=\"group-{name}\">{name}</h2>"
        )
        .expect(FITS);
        for operation in operations {
            write!(
                contents,
                "<li><a href=\"#{}\"><span class=\"method {method}\">{method}</span> {}</a></li>",
                escape(operation.text("operationId")),
                line(operation.text("summary")),
                method = operation.method,
            )
            .expect(FITS);
            main.push_str(&article(operation, &schemas));
        }
        contents.push_str("</ul></section>");
        main.push_str("</section>");
    }
    main.push_str("<section class=\"group\" aria-labelledby=\"schemas\"><h2 id=\"schemas\">Schemas</h2>");
    for (name, schema) in schemas.shown() {
        let about = schema["description"].as_str().map(prose).unwrap_or_default();
        let name = escape(name);
        write!(
            main,
            "<article id=\"schema-{name}\"><h3><a href=\"#schema-{name}\">{name}</a></h3>{about}{}</article>",
            schemas.fields(schema)
        )
        .expect(FITS);
    }
    main.push_str("</section>");
    let body = format!(
        "<a class=\"skip\" href=\"#operations\">Skip to the operations</a>\
         <header><p class=\"title\">{title} <span>API {version}</span></p>\
         <search hidden><label for=\"search\">Search</label><input id=\"search\" type=\"search\" \
         autocomplete=\"off\" spellcheck=\"false\" aria-describedby=\"found\" aria-keyshortcuts=\"/\">\
         <output id=\"found\" for=\"search\"></output></search>\
         <nav aria-label=\"Elsewhere\"><a href=\"/\">Studio</a> <a href=\"/api/v1/openapi.json\">OpenAPI 3.1</a></nav>\
         </header><div class=\"columns\"><nav aria-label=\"Operations\"><details open><summary>Operations</summary>\
         {contents}<p><a href=\"#schemas\">Schemas</a></p></details></nav>\
         <main id=\"operations\" tabindex=\"-1\"><h1>API</h1>{intro}{main}</main></div>\
         <script src=\"/api/v1/reference/page.js\" defer></script>",
        intro = intro(),
    );
    html::document(&format!("API · {}", text("title")), &body)
}

const FITS: &str = "strings take everything";

/// What holds for all of them.
fn intro() -> String {
    let paragraphs = [
        "Answers are `{\"data\": …}`; lists have `next` as well where there is more: give it as `after`. Failures are \
         `{\"error\": {\"code\", \"message\", \"request_id\"}}`, where `code` does not change. Long work is answered 202 with \
         a job.",
        "Programs send a token as `Authorization: Bearer …`, which may do what its scopes say; browsers have the cookie of \
         `POST /api/v1/login`. Writes take an `Idempotency-Key`: the same request with the same key is done once.",
        "In the commands `$SFA` is the address of this server, `$TOKEN` a token, and `cookies.txt` what signing in with \
         `-c cookies.txt` has kept.",
    ];
    paragraphs.map(prose).concat()
}

fn article(operation: &Operation<'_>, schemas: &Schemas<'_>) -> String {
    let Operation { method, path, about } = operation;
    let id = escape(operation.text("operationId"));
    let mut article = format!(
        "<article id=\"{id}\"><h3><a href=\"#{id}\">{}</a></h3>\
         <p class=\"route\"><span class=\"method {method}\">{method}</span> <code>{}</code></p>{}{}",
        line(operation.text("summary")),
        escape(path),
        prose(operation.text("description")),
        needs(about),
    );
    let parameters = about["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        article.push_str("<h4>Parameters</h4><ul class=\"fields\">");
        for parameter in parameters {
            article.push_str(&self::parameter(parameter, schemas));
        }
        article.push_str("</ul>");
    }
    if let Some(kinds) = about["requestBody"]["content"].as_object() {
        article.push_str("<h4>Body</h4>");
        for (kind, media) in kinds {
            let schema = &media["schema"];
            write!(article, "<p><code>{}</code>: {}</p>", escape(kind), schemas.kind(schema)).expect(FITS);
        }
    }
    article.push_str("<h4>Answers</h4><ul class=\"fields\">");
    let mut example = None;
    for (status, answer) in about["responses"].as_object().into_iter().flatten() {
        let description = line(answer["description"].as_str().unwrap_or_default());
        let shape = answer["content"].as_object().and_then(|kinds| kinds.iter().next());
        let said = shape.map(|(kind, media)| match kind.as_str() {
            "application/json" => schemas.kind(&media["schema"]),
            kind => escape(kind),
        });
        let status_text = if status == "default" { "otherwise" } else { status };
        write!(
            article,
            "<li><code class=\"name\">{}</code> <span class=\"type\">{}</span><p>{description}</p></li>",
            escape(status_text),
            said.unwrap_or_default(),
        )
        .expect(FITS);
        if status.starts_with('2') && example.is_none() {
            example =
                shape.filter(|(kind, _)| *kind == "application/json").map(|(_, media)| &media["schema"]);
        }
    }
    article.push_str("</ul>");
    let summary = operation.text("summary");
    article.push_str(&code(&format!("Command: {summary}"), &curl::command(method, path, about, schemas)));
    if let Some(schema) = example {
        let text =
            serde_json::to_string_pretty(&schemas.example(schema, false)).expect("examples are plain data");
        let shown = code(&format!("Example of an answer: {summary}"), &text);
        write!(article, "<details><summary>Example of an answer</summary>{shown}</details>").expect(FITS);
    }
    article + "</article>"
}

/// Who may do it, and how often.
fn needs(about: &Value) -> String {
    let about = &about["x-sfa"];
    let Some(right) = about["right"].as_str().and_then(Right::named) else {
        return "<p class=\"needs\">Open to anybody.</p>".to_owned();
    };
    let roles: Vec<&str> = right.roles().iter().map(|role| role.name()).collect();
    let mut said =
        format!("Needs the right <code>{}</code>, which {} have; ", right.name(), roles.join(", "));
    match right.token_scope() {
        Some(scope) => write!(said, "a token needs the scope <code>{}</code>.", scope.name()),
        None => write!(said, "no token will do."),
    }
    .expect(FITS);
    if about["is_guarded"] == true {
        said.push_str(" Wants a proof of the last minutes that it is you.");
    }
    if about["is_heavy"] == true {
        said.push_str(" Counts as heavy.");
    }
    format!("<p class=\"needs\">{said}</p>")
}

fn parameter(parameter: &Value, schemas: &Schemas<'_>) -> String {
    // What is said of a parameter stands beside its schema.
    let mut schema = parameter["schema"].clone();
    for name in ["description", "example"] {
        if let Some(said) = parameter.get(name) {
            schema[name] = said.clone();
        }
    }
    let name = parameter["name"].as_str().unwrap_or_default();
    let place = parameter["in"].as_str().unwrap_or_default();
    schemas.field(name, parameter["required"] == true, &schema, &format!("in the {place}"))
}
