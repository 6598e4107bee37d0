//! Schemas in words, and examples of what they allow.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::html::{escape, line};

const PREFIX: &str = "#/components/schemas/";
/// Examples within examples.
const DEEPEST: usize = 5;
/// Limits of numbers that only say how wide these are.
const LIMITS: [(&str, &str); 6] = [
    ("minimum", "at least"),
    ("maximum", "at most"),
    ("minLength", "characters, at least"),
    ("maxLength", "characters, at most"),
    ("minItems", "items, at least"),
    ("maxItems", "items, at most"),
];

/// The schemas that others name.
pub(super) struct Schemas<'a>(&'a Map<String, Value>);

impl<'a> Schemas<'a> {
    pub(super) fn of(document: &'a Value) -> Self {
        static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        Self(document["components"]["schemas"].as_object().unwrap_or(&NONE))
    }

    /// Those that have a place of their own on the page, in order: not what only wraps another.
    pub(super) fn shown(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.0
            .iter()
            .map(|(name, schema)| (name.as_str(), schema))
            .filter(|(name, _)| self.wrapped(name).is_none())
    }

    /// What `Data_X` and `Page_X` are around.
    fn wrapped<'n>(&self, name: &'n str) -> Option<(&'n str, bool)> {
        let (inner, is_page) = match (name.strip_prefix("Data_"), name.strip_prefix("Page_")) {
            (Some(inner), _) => (inner, false),
            (_, Some(inner)) => (inner, true),
            _ => return None,
        };
        self.0.contains_key(inner).then_some((inner, is_page))
    }

    /// The schema itself, where this one only names it.
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        name_of(schema).and_then(|name| self.0.get(name)).unwrap_or(schema)
    }

    /// Its kind in a few words, with links.
    pub(super) fn kind(&self, schema: &Value) -> String {
        if let Some(name) = name_of(schema) {
            let link = |name: &str| format!("<a href=\"#schema-{0}\">{0}</a>", escape(name));
            return match self.wrapped(name) {
                Some((inner, false)) => format!("{{data: {}}}", link(inner)),
                Some((inner, true)) => format!("{{data: [{}], next}}", link(inner)),
                None => link(name),
            };
        }
        for (word, between) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
            if let Some(parts) = schema[word].as_array() {
                return parts.iter().map(|part| self.kind(part)).collect::<Vec<_>>().join(between);
            }
        }
        if let Some(values) = schema["enum"].as_array() {
            return values.iter().map(|value| escape(&value.to_string())).collect::<Vec<_>>().join(" or ");
        }
        let names = match &schema["type"] {
            Value::String(name) => vec![name.as_str()],
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => vec!["anything"],
        };
        let names = names.into_iter().map(|name| match name {
            "array" if is_bytes(schema) => "bytes".to_owned(),
            "array" => format!("list of {}", self.kind(&schema["items"])),
            name => match schema["format"].as_str() {
                Some(format) if name != "null" => format!("{name} ({})", escape(format)),
                _ => name.to_owned(),
            },
        });
        names.collect::<Vec<_>>().join(" or ")
    }

    /// What its values have to keep to, in words; empty where anything goes.
    pub(super) fn limits(schema: &Value) -> String {
        let mut words = Vec::new();
        for (limit, said) in LIMITS {
            if let Some(number) = schema.get(limit).filter(|number| number.is_number()) {
                words.push(format!("{said} {number}"));
            }
        }
        match alternatives(schema) {
            Some(names) => words.push(format!("one of {}", names.join(", "))),
            None => words.extend(schema["pattern"].as_str().map(|pattern| format!("like {pattern}"))),
        }
        if let Some(default) = schema.get("default") {
            words.push(format!("default {default}"));
        }
        if let Some(example) = schema.get("example") {
            words.push(format!("for example {example}"));
        }
        words.join("; ")
    }

    /// Its fields, as a list; those of what it is made of are a link away.
    pub(super) fn fields(&self, schema: &Value) -> String {
        if let Some(parts) = schema["allOf"].as_array() {
            return parts
                .iter()
                .map(|part| match name_of(part) {
                    Some(_) => format!("<p>All of {}, and:</p>", self.kind(part)),
                    None => self.fields(part),
                })
                .collect();
        }
        let Some(properties) = schema["properties"].as_object() else {
            return format!("<p class=\"type\">{}</p>", self.kind(schema));
        };
        let required = |name: &str| {
            schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name))
        };
        let mut list = String::from("<ul class=\"fields\">");
        for (name, field) in properties {
            list.push_str(&self.field(name, required(name), field, ""));
        }
        list + "</ul>"
    }

    /// A field or a parameter; `more` is said about where it goes.
    pub(super) fn field(&self, name: &str, is_required: bool, schema: &Value, more: &str) -> String {
        let mut item = format!(
            "<li><code class=\"name\">{}</code> <span class=\"type\">{}</span>",
            escape(name),
            self.kind(schema)
        );
        if is_required {
            item.push_str(" <strong>required</strong>");
        }
        if !more.is_empty() {
            write!(item, " <span class=\"type\">{}</span>", escape(more)).expect("strings take everything");
        }
        if let Some(description) = description(schema) {
            write!(item, "<p>{}</p>", line(description)).expect("strings take everything");
        }
        let limits = Self::limits(schema);
        if !limits.is_empty() {
            write!(item, "<p class=\"limits\">{}</p>", escape(&limits)).expect("strings take everything");
        }
        if schema["properties"].is_object() {
            item.push_str(&self.fields(schema));
        }
        item + "</li>"
    }

    /// Something that it allows: all of it, or only what is needed.
    pub(super) fn example(&self, schema: &'a Value, only_needed: bool) -> Value {
        self.example_at(schema, only_needed, 0)
    }

    fn example_at(&self, schema: &'a Value, only_needed: bool, depth: usize) -> Value {
        if let Some(example) = schema.get("example") {
            return example.clone();
        }
        let schema = self.resolved(schema);
        let first = |word: &str| schema[word].as_array().and_then(|parts| parts.first());
        if let Some(part) = first("oneOf").or_else(|| first("anyOf")) {
            return self.example_at(part, only_needed, depth);
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let parts = parts.iter().map(|part| self.example_at(part, only_needed, depth));
            let objects = parts.filter_map(|part| part.as_object().cloned());
            return Value::Object(objects.flatten().collect());
        }
        if let Some(value) = first("enum") {
            return value.clone();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.first().and_then(Value::as_str),
            kind => kind.as_str(),
        };
        match kind {
            Some("object") if depth < DEEPEST => self.object(schema, only_needed, depth),
            Some("object") => json!({}),
            Some("array") if depth < DEEPEST => {
                json!([self.example_at(&schema["items"], only_needed, depth + 1)])
            }
            Some("array") => json!([]),
            Some("integer") => schema.get("minimum").cloned().unwrap_or(json!(1)),
            Some("number") => schema.get("maximum").cloned().unwrap_or(json!(1.5)),
            Some("boolean") => json!(true),
            Some("string") => json!(text(schema)),
            _ => Value::Null,
        }
    }

    fn object(&self, schema: &'a Value, only_needed: bool, depth: usize) -> Value {
        let Some(properties) = schema["properties"].as_object() else { return json!({}) };
        let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_needed = |name: &String| required.iter().any(|required| required == name);
        let chosen: Vec<_> = match only_needed {
            true if required.is_empty() => properties.iter().take(1).collect(),
            true => properties.iter().filter(|(name, _)| is_needed(name)).collect(),
            false => properties.iter().collect(),
        };
        let fields = chosen.into_iter();
        Value::Object(
            fields
                .map(|(name, field)| (name.clone(), self.example_at(field, only_needed, depth + 1)))
                .collect(),
        )
    }
}

/// What a schema only names.
fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix(PREFIX)
}

/// What is said about it, also where it may be absent.
fn description(schema: &Value) -> Option<&str> {
    let of_part = || schema["oneOf"].as_array()?.iter().find_map(|part| part["description"].as_str());
    schema["description"].as_str().or_else(of_part)
}

/// A file is written down as a list of small numbers.
fn is_bytes(schema: &Value) -> bool {
    schema["items"]["type"] == "integer" && schema["items"]["format"] == "int32"
}

/// The words that a pattern of nothing but words allows.
fn alternatives(schema: &Value) -> Option<Vec<&str>> {
    let words = schema["pattern"].as_str()?.strip_prefix("^(")?.strip_suffix(")$")?;
    let is_plain = words.chars().all(|letter| letter.is_alphanumeric() || "_-|".contains(letter));
    is_plain.then(|| words.split('|').collect())
}

fn text(schema: &Value) -> &str {
    if let Some(names) = alternatives(schema) {
        return names[0];
    }
    match schema["format"].as_str() {
        Some("uuid") => "01977a3e-7c00-7000-8000-000000000000",
        Some("email") => "ann@example.org",
        Some("password") => "correct horse battery",
        Some("binary") => "…",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({"components": {"schemas": {
            "Song": {"type": "object", "required": ["id"], "properties": {
                "id": {"type": "string", "format": "uuid"},
                "note": {"type": ["string", "null"], "maxLength": 9, "description": "What `Ann` <said>."},
                "kind": {"type": "string", "pattern": "^(mix|stem)$"},
            }},
            "Data_Song": {"type": "object"},
            "Page_Song": {"type": "object"},
            "Page_Other": {"type": "object"},
        }}})
    }

    #[test]
    fn what_wraps_another_is_said_and_not_shown() {
        let document = document();
        let schemas = Schemas::of(&document);
        let shown: Vec<&str> = schemas.shown().map(|(name, _)| name).collect();
        assert_eq!(shown, ["Page_Other", "Song"]);
        let kind = |name: &str| schemas.kind(&json!({"$ref": format!("{PREFIX}{name}")}));
        let link = "<a href=\"#schema-Song\">Song</a>";
        assert_eq!(kind("Data_Song"), format!("{{data: {link}}}"));
        assert_eq!(kind("Page_Song"), format!("{{data: [{link}], next}}"));
        assert_eq!(
            schemas.kind(&json!({"type": ["integer", "null"], "format": "int64"})),
            "integer (int64) or null"
        );
    }

    #[test]
    fn fields_say_what_they_are_need_and_allow() {
        let document = document();
        let schemas = Schemas::of(&document);
        let fields = schemas.fields(&document["components"]["schemas"]["Song"]);
        assert!(
            fields.contains(
                "<code class=\"name\">id</code> <span class=\"type\">string (uuid)</span> <strong>"
            )
        );
        assert!(fields.contains("What <code>Ann</code> &lt;said&gt;."), "{fields}");
        assert!(fields.contains("characters, at most 9") && fields.contains("one of mix, stem"), "{fields}");
    }

    #[test]
    fn examples_keep_to_their_schemas() {
        let document = document();
        let schemas = Schemas::of(&document);
        let song = &document["components"]["schemas"]["Song"];
        let id = "01977a3e-7c00-7000-8000-000000000000";
        assert_eq!(schemas.example(song, true), json!({"id": id}));
        assert_eq!(schemas.example(song, false), json!({"id": id, "note": "text", "kind": "mix"}));
    }
}
