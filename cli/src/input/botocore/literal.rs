//! Literals: Python's `b'…'` and `'…'`, as `repr` writes them.

/// Reads the literal that a text begins with. Returns its bytes, and what comes after it.
pub fn bytes(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let text = text.strip_prefix(b"b").unwrap_or(text);
    let (&quote, mut rest) = text.split_first().filter(|(quote, _)| matches!(quote, b'\'' | b'"'))?;
    let mut bytes = Vec::new();
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'\\' => {
                let (&escape, after) = rest.split_first()?;
                rest = after;
                match escape {
                    b'n' => bytes.push(b'\n'),
                    b'r' => bytes.push(b'\r'),
                    b't' => bytes.push(b'\t'),
                    b'x' | b'u' | b'U' => rest = character(escape, rest, &mut bytes)?,
                    other => bytes.push(other),
                }
            }
            _ if byte == quote => return Some((bytes, rest)),
            _ => bytes.push(byte),
        }
    }
}

/// Reads the digits of a character, or of a byte. Returns what comes after them.
fn character<'a>(escape: u8, rest: &'a [u8], bytes: &mut Vec<u8>) -> Option<&'a [u8]> {
    let digits = match escape {
        b'x' => 2,
        b'u' => 4,
        _ => 8,
    };
    let (code, rest) = rest.split_at_checked(digits)?;
    let code = u32::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()?;
    match u8::try_from(code) {
        Ok(byte) if escape == b'x' => bytes.push(byte),
        _ => bytes.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut [0; 4]).as_bytes()),
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_their_bytes() {
        let cases: [(&[u8], &[u8], &[u8]); 5] = [
            (br#"b'{"a": "x\'y"}', 'url'"#, br#"{"a": "x'y"}"#, b", 'url'"),
            (br#"b"it's \\ \n\t\r \xc3\xa9\x00""#, b"it's \\ \n\t\r \xc3\xa9\x00", b""),
            (br"'\u00e9'", "é".as_bytes(), b""),
            (b"b'' rest", b"", b" rest"),
            (br"'\U0001f600'", "😀".as_bytes(), b""),
        ];
        for (literal, expected, after) in cases {
            let found = bytes(literal).unwrap_or_else(|| panic!("{literal:?}"));
            assert_eq!((&*found.0, found.1), (expected, after));
        }
        for cut in ["", "b", "b'abc", r"b'\", r"b'\x", r"b'\xc", r"b'\xzz'", "{}", "None", r"'\ud800'"] {
            assert_eq!(bytes(cut.as_bytes()), None, "{cut}");
        }
    }
}
