//! Whether a page or a picture is well-formed, for the tests of both reports.

/// Panics unless every tag that opens in `text` closes, in order, and every `&` begins an entity. Returns the tags.
pub(crate) fn balanced(text: &str, what: &str) -> Vec<String> {
    const VOID: [&str; 3] = ["meta", "link", "!DOCTYPE"];
    let (mut open, mut seen) = (Vec::<String>::new(), Vec::new());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        entities(&rest[..start], what);
        rest = &rest[start + 1..];
        let (mut end, mut quoted) = (None, false);
        for (i, c) in rest.char_indices() {
            match c {
                '"' => quoted = !quoted,
                '<' => panic!("{what}: a bare < in <{}", &rest[..i]),
                '>' if !quoted => {
                    end = Some(i);
                    break;
                }
                _ => {}
            }
        }
        let end = end.unwrap_or_else(|| panic!("{what}: a tag without end: <{:.60}", rest));
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        entities(tag, what);
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "{what}: </{name}> closes something else");
            continue;
        }
        let name = tag.split([' ', '\n', '/']).next().unwrap_or_default().to_string();
        seen.push(name.clone());
        if !tag.ends_with('/') && !VOID.contains(&name.as_str()) {
            // Style sheets and data have their own grammar; nothing in ours looks like a tag.
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{what}: never closed: {open:?}");
    seen
}

fn entities(text: &str, what: &str) {
    for (i, _) in text.match_indices('&') {
        let name: String = text[i + 1..].chars().take_while(|c| *c != ';').take(8).collect();
        assert!(
            ["amp", "lt", "gt", "quot", "apos", "#39"].contains(&name.as_str()),
            "{what}: a bare & before {name:?}"
        );
    }
}
