//! Mail addresses in running text.

/// Every address in a line, in order, as written.
pub(super) fn all(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut taken = 0;
    for (at, _) in text.match_indices('@') {
        if at < taken {
            continue;
        }
        let local_len =
            text[..at].chars().rev().take_while(|c| local(*c)).map(char::len_utf8).sum::<usize>();
        let start = (at - local_len).max(taken);
        let domain_len = text[at + 1..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '.'))
            .map(char::len_utf8)
            .sum::<usize>();
        let domain = text[at + 1..at + 1 + domain_len].trim_end_matches(['.', '-']);
        let name = text[start..at].trim_start_matches(['.', '\'', '-', '=', '/', '*']);
        // X.400 addresses hold one of ours as `SMTP=x@y`.
        let name =
            name.strip_prefix("SMTP=").or_else(|| name.strip_prefix("smtp=")).unwrap_or(name);
        if valid(name, domain) {
            found.push(format!("{name}@{domain}"));
        }
        taken = at + 1 + domain_len;
    }
    found
}

pub(super) fn first(text: &str) -> Option<String> {
    all(text).into_iter().next()
}

fn local(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(
            c,
            '.' | '_'
                | '-'
                | '+'
                | '='
                | '&'
                | '\''
                | '/'
                | '!'
                | '#'
                | '%'
                | '$'
                | '*'
                | '~'
                | '^'
        )
}

fn valid(name: &str, domain: &str) -> bool {
    let mut labels = domain.split('.');
    !name.is_empty()
        && name.len() <= 128
        && !name.ends_with('.')
        && !name.contains("..")
        && domain.contains('.')
        && domain.len() <= 253
        && labels.clone().all(|label| !label.is_empty() && label.len() <= 63)
        && labels.next_back().is_some_and(|top| {
            top.chars().all(|c| c.is_alphanumeric() || c == '-')
                && !top.chars().all(|c| c.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_servers_write_them() {
        assert_eq!(
            all("<a.b+c@ex-ample.fr>: user; RCPT TO:<d@e.org>. x@y, @z.fr"),
            ["a.b+c@ex-ample.fr", "d@e.org"]
        );
        assert_eq!(first("user=anne@exemple.fr."), Some("user=anne@exemple.fr".to_owned()));
        assert_eq!(all("dav...@gmail.com a@b..c 1@2.3"), Vec::<String>::new());
    }
}
