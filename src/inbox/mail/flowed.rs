//! `format=flowed` (RFC 3676): lines that a program broke are joined again.

/// Joins the lines of one paragraph that have the same quotation depth. `delsp`: the space at a
/// soft break was added by the program.
pub(super) fn unwrap(text: &str, delsp: bool) -> String {
    super::steps::count(text.len());
    let mut out = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.split('\n') {
        let depth = line.bytes().take_while(|b| *b == b'>').count();
        let content = &line[depth..];
        let content = content.strip_prefix(' ').unwrap_or(content);
        let signature = content == "-- ";
        if open == Some(depth) && !signature {
            out.push_str(content);
        } else {
            if open.is_some() {
                out.push('\n');
            }
            out.push_str(&line[..depth]);
            // A space that the program stuffed stays where `>` or the text needs one.
            out.push_str(if depth > 0 && !content.is_empty() { " " } else { "" });
            out.push_str(content);
        }
        let soft = content.ends_with(' ') && !signature && content != " ";
        if soft {
            if delsp {
                out.pop();
            }
            open = Some(depth);
        } else {
            out.push('\n');
            open = None;
        }
    }
    out.pop();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_breaks_join_and_hard_ones_stay() {
        let text = "Une phrase \nsur deux lignes.\n> citée \n> aussi\n-- \nJean\n";
        assert_eq!(unwrap(text, false), "Une phrase sur deux lignes.\n> citée aussi\n-- \nJean\n");
    }

    #[test]
    fn delsp_and_stuffing() {
        assert_eq!(
            unwrap("mot \ncollé\n >pas une citation\n From rien", true),
            "motcollé\n>pas une citation\nFrom rien"
        );
    }

    #[test]
    fn another_depth_ends_a_paragraph() {
        assert_eq!(unwrap("> a \nb", false), "> a \nb");
    }
}
