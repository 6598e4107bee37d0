//! Text and numbers as HTML.

use std::fmt::Write as _;

use sfa_audio::cue::Rgb;

/// Text as HTML text or attribute value; control characters and those that turn the writing direction go.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            _ if character.is_control() => {}
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Minutes and seconds, with hours where there are any.
pub(crate) fn clock(secs: f64) -> String {
    let whole = secs.max(0.0).round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// Minutes, seconds and milliseconds.
pub(super) fn precise_clock(secs: f64) -> String {
    let ms = (secs.max(0.0) * 1e3).round() as u64;
    format!("{}.{:03}", clock((ms / 1000) as f64), ms % 1000)
}

/// A number with a real minus sign, or an en dash where there is none.
pub(super) fn number(value: Option<f64>, decimals: usize) -> String {
    match value.filter(|value| value.is_finite()) {
        Some(value) => format!("{value:.decimals$}").replace('-', "\u{2212}"),
        None => "\u{2013}".to_owned(),
    }
}

/// A share as whole percent.
pub(super) fn percent(share: f32) -> String {
    format!("{:.0}", share.clamp(0.0, 1.0) * 100.0)
}

/// A place on the time axis as a CSS percentage.
pub(super) fn place(secs: f64, duration_secs: f64) -> String {
    format!("{:.4}%", (secs / duration_secs.max(1e-9)).clamp(0.0, 1.0) * 100.0)
}

/// Black or white, whichever stands out more on a colour (relative luminance as WCAG 2).
pub(super) fn ink_on(Rgb(red, green, blue): Rgb) -> &'static str {
    let linear = |byte: u8| {
        let value = f64::from(byte) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    // Where both have the same contrast: (1.05 / (l + 0.05)) = ((l + 0.05) / 0.05).
    if luminance > 0.179 { "#000" } else { "#fff" }
}

/// Bytes in base64 with padding (RFC 4648).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let is_padding = digit > chunk.len();
            let index = (bits >> (18 - 6 * digit) & 63) as usize;
            text.push(if is_padding { '=' } else { char::from(DIGITS[index]) });
        }
    }
    text
}

/// Numbers between commas, as short as they can be written.
pub(super) fn list<T: std::fmt::Display>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().fold(String::new(), |mut text, value| {
        let comma = if text.is_empty() { "" } else { "," };
        let _ = write!(text, "{comma}{value}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(escape("<b a='1'>\"&\u{0}\u{1b}\u{202e}"), "&lt;b a=&#39;1&#39;&gt;&quot;&amp;");
    }

    #[test]
    fn base64_is_as_in_rfc_4648() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn clocks_carry_over() {
        assert_eq!(precise_clock(59.999_6), "1:00.000");
        assert_eq!(clock(59.6), "1:00");
        assert_eq!(clock(7_384.0), "2:03:04");
    }
}
