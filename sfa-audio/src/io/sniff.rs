//! What a file is, judged by its bytes and never by its name.

use super::flac;

/// Families of files that are told apart before any parser runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// RIFF WAVE, RF64, BW64, Wave64, AIFF, AIFC or Sun AU: read by our own tolerant header parser.
    Pcm,
    /// ISO base media: MP4, M4A, MOV.
    Mp4,
    /// A FLAC stream whose file header is missing.
    BareFlac,
    /// Anything the demuxer library may know.
    Demuxed,
    /// A format that only an external program reads, by name.
    External(&'static str),
    /// Surely no audio; the text says what was seen.
    NotAudio(&'static str),
}

/// Judges by the first bytes of a file (a few hundred are enough).
pub(super) fn sniff(head: &[u8]) -> Family {
    let starts = |magic: &[u8]| head.starts_with(magic);
    let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(magic));

    if head.is_empty() {
        return Family::NotAudio("an empty file (0 bytes)");
    }
    if (starts(b"RIFF") || starts(b"RF64") || starts(b"BW64")) && at(8, b"WAVE")
        || starts(b"riff\x2e\x91\xcf\x11")
        || starts(b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC"))
        || starts(b".snd")
    {
        return Family::Pcm;
    }
    if at(4, b"ftyp") {
        return Family::Mp4;
    }
    const EXTERNAL: &[(usize, &[u8], &str)] = &[
        (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media (ASF)"),
        (0, b"\x0b\x77", "AC-3"),
        (0, b"\x7f\xfe\x80\x01", "DTS"),
        (0, b"wvpk", "WavPack"),
        (0, b"MAC ", "Monkey's Audio"),
        (0, b"TTA1", "True Audio"),
        (0, b"TTA2", "True Audio"),
        (0, b"MPCK", "Musepack"),
        (0, b"MP+", "Musepack"),
        (0, b"DSD ", "DSD stream file"),
        (0, b"FRM8", "DSDIFF"),
        (0, b"tBaK", "TAK"),
        (0, b"OFR ", "OptimFROG"),
        (0, b"#!AMR", "AMR"),
        (0, b".RMF", "RealMedia"),
        (0, b".ra\xfd", "RealAudio"),
        (0, b"FLV\x01", "Flash Video"),
        (0, b"\x00\x00\x01\xba", "MPEG program stream"),
    ];
    if let Some((_, _, name)) = EXTERNAL.iter().find(|(offset, magic, _)| at(*offset, magic)) {
        return Family::External(name);
    }
    if starts(b"RIFF") && at(8, b"AVI ") {
        return Family::External("AVI");
    }
    if head.len() > 188 && head[0] == 0x47 && head[188] == 0x47 {
        return Family::External("MPEG transport stream");
    }
    if is_free_format_mpeg(head) {
        return Family::External("free-format MPEG audio");
    }
    if let Some(what) = not_audio(head) {
        return Family::NotAudio(what);
    }
    if starts(b"\xff\xf8") || starts(b"\xff\xf9") {
        // ADTS shares these bits; it has layer 00 as well, but FLAC needs a valid block size and rate code.
        if flac::parse_frame_header(head).and_then(flac::file_header).is_some() {
            return Family::BareFlac;
        }
    }
    Family::Demuxed
}

/// An MPEG audio frame header with bit rate index 0, which leaves the frame length open.
fn is_free_format_mpeg(head: &[u8]) -> bool {
    let &[0xff, second, third, ..] = head else { return false };
    let (version, layer) = ((second >> 3) & 3, (second >> 1) & 3);
    second & 0xe0 == 0xe0 && version != 1 && layer != 0 && third >> 4 == 0 && (third >> 2) & 3 != 3
}

fn not_audio(head: &[u8]) -> Option<&'static str> {
    const OTHER: &[(&[u8], &str)] = &[
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"Rar!", "a RAR archive"),
        (b"7z\xbc\xaf", "a 7-Zip archive"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"\x89PNG", "a PNG picture"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"GIF8", "a GIF picture"),
        (b"\x7fELF", "a program"),
        (b"MZ", "a program"),
        (b"SQLite format 3", "a database"),
        (b"MThd", "a MIDI file (notes without sound)"),
    ];
    if let Some((_, name)) = OTHER.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(name);
    }
    if head.iter().all(|&byte| byte == 0) {
        return Some("only zero bytes");
    }
    let is_text_byte = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    (text.len() >= 4 && text.iter().all(is_text_byte) && valid_utf8_prefix(text)).then_some("text")
}

/// Whether `bytes` are UTF-8, not minding a character cut at the end.
fn valid_utf8_prefix(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    }
}

/// The first bytes of a file for an error message.
pub(super) fn describe_head(head: &[u8]) -> String {
    let shown: Vec<String> = head.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("it starts with the bytes {}", shown.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_told_by_content() {
        assert_eq!(sniff(b""), Family::NotAudio("an empty file (0 bytes)"));
        assert_eq!(sniff(b"dear diary, today"), Family::NotAudio("text"));
        assert_eq!(sniff("\u{feff}zażółć".as_bytes()), Family::NotAudio("text"));
        assert_eq!(sniff(b"RIFF\0\0\0\0WAVEfmt "), Family::Pcm);
        assert_eq!(sniff(b"FORM\0\0\0\0AIFCFVER"), Family::Pcm);
        assert_eq!(sniff(b"\0\0\0\x20ftypM4A "), Family::Mp4);
        assert_eq!(sniff(b"wvpk\x10\0\0\0"), Family::External("WavPack"));
        assert_eq!(sniff(b"\xff\xfb\x00\x64more"), Family::External("free-format MPEG audio"));
        assert_eq!(sniff(b"OggS\0\x02"), Family::Demuxed);
        assert_eq!(sniff(&[0; 300]), Family::NotAudio("only zero bytes"));
    }
}
