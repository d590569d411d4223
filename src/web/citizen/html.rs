//! A message's tree as HTML. Every leaf is escaped, so nothing in a text can become markup.

use portevoix_contract::{Block, Inline};

/// The blocks below a page's `h1`: headings go down one level at a time, as readers of headings
/// expect (RGAA 9.1).
pub(super) fn html(blocks: &[Block]) -> String {
    let mut out = String::new();
    let mut level = 1;
    write_blocks(&mut out, blocks, &mut level);
    out
}

fn write_blocks(out: &mut String, blocks: &[Block], level: &mut u8) {
    for block in blocks {
        match block {
            Block::Heading { level: wanted, inlines } => {
                *level = (*wanted).clamp(2, *level + 1);
                wrapped(out, &format!("h{level}"), |out| write_inlines(out, inlines));
            }
            Block::Paragraph { inlines } => wrapped(out, "p", |out| write_inlines(out, inlines)),
            Block::List { start, items } => {
                let tag = match start {
                    None => "ul",
                    Some(_) => "ol",
                };
                match start {
                    Some(first) if *first != 1 => out.push_str(&format!("<ol start=\"{first}\">")),
                    _ => out.push_str(&format!("<{tag}>")),
                }
                for item in items {
                    wrapped(out, "li", |out| match item.as_slice() {
                        [Block::Paragraph { inlines }] => write_inlines(out, inlines),
                        item => write_blocks(out, item, level),
                    });
                }
                out.push_str(&format!("</{tag}>\n"));
            }
            Block::Quote { blocks } => {
                wrapped(out, "blockquote", |out| write_blocks(out, blocks, level));
            }
            Block::Rule => out.push_str("<hr>\n"),
        }
    }
}

fn wrapped(out: &mut String, tag: &str, inside: impl FnOnce(&mut String)) {
    out.push_str(&format!("<{tag}>"));
    inside(out);
    out.push_str(&format!("</{tag}>\n"));
}

fn write_inlines(out: &mut String, inlines: &[Inline]) {
    for inline in inlines {
        match inline {
            Inline::Text { text } => escape(out, text),
            Inline::Strong { inlines } => around(out, "strong", inlines),
            Inline::Emphasis { inlines } => around(out, "em", inlines),
            Inline::Link { to, inlines } => {
                out.push_str("<a rel=\"noopener noreferrer\" href=\"");
                escape(out, to);
                out.push_str("\">");
                write_inlines(out, inlines);
                out.push_str("</a>");
            }
            Inline::Break => out.push_str("<br>"),
        }
    }
}

fn around(out: &mut String, tag: &str, inlines: &[Inline]) {
    out.push_str(&format!("<{tag}>"));
    write_inlines(out, inlines);
    out.push_str(&format!("</{tag}>"));
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && c != '\n' && c != '\t' => {}
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use portevoix_contract::parse_markdown;

    use super::*;

    #[test]
    fn a_text_becomes_what_it_says_and_nothing_else() {
        let text = "#### Loin\n\n<b onload=x>gras</b> **fort** [ici](https://l.example/?a=\"b\"&c)\n\n\
                    3. trois\n4. quatre\n\n> cité";
        assert_eq!(
            html(&parse_markdown(text)),
            "<h2>Loin</h2>\n<p>&lt;b onload=x&gt;gras&lt;/b&gt; <strong>fort</strong> \
             <a rel=\"noopener noreferrer\" href=\"https://l.example/?a=&quot;b&quot;&amp;c\">ici</a></p>\n\
             <ol start=\"3\"><li>trois</li>\n<li>quatre</li>\n</ol>\n\
             <blockquote><p>cité</p>\n</blockquote>\n"
        );
    }

    #[test]
    fn headings_skip_no_level() {
        let page = html(&parse_markdown("# a\n\n#### b\n\n## c\n\n### d"));
        assert_eq!(page, "<h2>a</h2>\n<h3>b</h3>\n<h2>c</h2>\n<h3>d</h3>\n");
    }

    proptest::proptest! {
        #[test]
        fn no_text_opens_a_tag_of_its_own(text in "[<>&\"'a-z/= #*\\[\\]()!\n-]{0,120}") {
            let page = html(&parse_markdown(&text));
            for tag in page.split('<').skip(1) {
                let name: String =
                    tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
                let known = ["h2", "h3", "h4", "p", "ul", "ol", "li", "blockquote", "hr", "strong", "em", "a", "br"];
                proptest::prop_assert!(known.contains(&name.as_str()), "{page}");
            }
        }
    }
}
