//! Text as HTML, and the pages that this server writes itself.

use axum::http::{HeaderName, header};

/// What goes with every page. Only what this server sent itself is run or shown.
pub(in crate::http::resources) const ABOUT: [(HeaderName, &str); 2] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
];

/// A page around this body.
pub(in crate::http::resources) fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"dark\"><title>{}</title>\
         <link rel=\"stylesheet\" href=\"/api/v1/reference/page.css\">\
         </head><body>{body}</body></html>\n",
        escape(title)
    )
}

/// Text that is nothing but text, between tags and in attributes.
pub(in crate::http::resources) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// A line of prose: what stands between backticks is code.
pub(super) fn line(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(place, part)| match place % 2 {
            1 => format!("<code>{}</code>", escape(part)),
            _ => escape(part),
        })
        .collect()
}

/// Prose in paragraphs.
pub(super) fn prose(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| format!("<p>{}</p>", line(paragraph))).collect()
}

/// Something to be copied, which is scrolled where it is too wide.
pub(super) fn code(label: &str, text: &str) -> String {
    format!(
        "<pre tabindex=\"0\" role=\"region\" aria-label=\"{}\"><code>{}</code></pre>",
        escape(label),
        escape(text)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text_and_code_becomes_code() {
        assert_eq!(
            prose("Send `<a>` & \"b\".\n\nThen `{}`."),
            "<p>Send <code>&lt;a&gt;</code> &amp; &quot;b&quot;.</p><p>Then <code>{}</code>.</p>"
        );
    }
}
