//! Our own source code as tokens: enough to see what is imported, and no more.

use std::path::{Path, PathBuf};

/// An identifier, `::`, or one other character. Comments and literals are gone.
pub type Token = String;

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every `.rs` file below a folder, in order.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_path_buf()];
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment(rest)
        } else if let Some(length) = literal(rest) {
            length
        } else if is_word(first) {
            let length = rest.find(|char| !is_word(char)).unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Comments nest.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length of the string, byte string, raw string, character or lifetime that begins here.
fn literal(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        text.strip_prefix(prefix).is_some_and(|rest| {
            let raw = prefix.ends_with('r') && rest.trim_start_matches('#').starts_with('"');
            raw || !prefix.ends_with('r') && rest.starts_with(['"', '\''])
        })
    })?;
    let rest = &text[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = rest.find('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        let inner = rest[hashes + 1..].find(&end)?;
        return Some(prefix.len() + hashes + 1 + inner + end.len());
    }
    let quote = rest.chars().next()?;
    if quote == '\'' && is_lifetime(rest) {
        return Some(prefix.len() + 1);
    }
    let mut escaped = false;
    for (at, char) in rest.char_indices().skip(1) {
        if !escaped && char == quote {
            return Some(prefix.len() + at + 1);
        }
        escaped = char == '\\' && !escaped;
    }
    Some(text.len())
}

/// `'a` and not `'a'`.
fn is_lifetime(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    chars.next().is_some_and(is_word) && chars.next() != Some('\'')
}

/// Without the blocks behind `#[cfg(test)]`.
pub fn without_tests(tokens: &[Token]) -> Vec<Token> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at..].iter().take(MARK.len()).eq(MARK) {
            at = end_of_item(tokens, at + MARK.len());
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Behind the `;` or the matching `}` of the item that begins at `from`.
fn end_of_item(tokens: &[Token], from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.as_str() {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Every path that begins with a token that `is_start`, groups opened: `crate::{a, b::c}` is
/// `crate::a` and `crate::b::c`.
pub fn paths(tokens: &[Token], is_start: impl Fn(&str) -> bool) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let inside = at > 0 && tokens[at - 1] == "::";
        let begins = is_start(&tokens[at]) && tokens.get(at + 1).is_some_and(|next| next == "::");
        if begins && !inside {
            grow(tokens, at + 2, vec![tokens[at].clone()], &mut found);
        }
    }
    found
}

/// Reads what follows a `::` and returns where it ends.
fn grow(tokens: &[Token], at: usize, mut path: Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    match tokens.get(at).map(String::as_str) {
        Some("{") => {
            let mut at = at + 1;
            while let Some(token) = tokens.get(at).filter(|token| *token != "}") {
                at = if token == "," { at + 1 } else { grow(tokens, at, path.clone(), found) };
            }
            at + 1
        }
        Some(token) => {
            path.push(token.to_owned());
            let mut at = at + 1;
            if tokens.get(at).is_some_and(|next| next == "::") {
                return grow(tokens, at + 1, path, found);
            }
            found.push(path);
            if tokens.get(at).is_some_and(|next| next == "as") {
                at += 2;
            }
            at
        }
        None => at,
    }
}
