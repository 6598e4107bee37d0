//! Writing XML.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, Event};

use super::one_line;

/// A document with its declaration, two spaces for each level.
pub(super) fn document(write: impl FnOnce(&mut Writer<Vec<u8>>) -> io::Result<()>) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    let declared = writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    declared.and_then(|()| write(&mut writer)).expect("writing to memory does not fail");
    let mut xml = String::from_utf8(writer.into_inner()).expect("every part is UTF-8");
    xml.push('\n');
    xml
}

/// An element without content.
pub(super) fn write_attributes<W: Write>(
    writer: &mut Writer<W>,
    name: &str,
    attributes: &[(&str, String)],
) -> io::Result<()> {
    let attributes = attributes.iter().map(|(name, value)| (*name, value.as_str()));
    writer.create_element(name).with_attributes(attributes).write_empty().map(drop)
}

/// One line of the characters that XML 1.0 can hold.
pub(super) fn xml_text(text: &str) -> String {
    let legal = |c: &char| !matches!(c, '\u{fffe}' | '\u{ffff}');
    one_line(text).chars().filter(legal).collect()
}
