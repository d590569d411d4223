//! HTML pages: the templates of `templates/pages`, evaluated with escaping, sent with headers that
//! let nothing foreign in. No script, no cookie, nothing from elsewhere.

use std::{collections::HashMap, sync::LazyLock};

use axum::{
    extract::Query,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use include_dir::{Dir, include_dir};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, Value, escape_formatter,
    value::Serde,
};
use serde::Serialize;

use crate::{model::paris, render::dates};

static INCLUDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/pages");

/// For every page; a page that needs more sets its own header, which is then left alone.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/// The languages of the citizens' pages, the first one where another is asked for.
pub const LANGUAGES: [&str; 3] = ["fr", "nl", "en"];

type Words = HashMap<String, String>;

static WORDS: LazyLock<HashMap<&str, Words>> = LazyLock::new(|| {
    let words = |language: &'static str| {
        let text = INCLUDED.get_file(format!("words/{language}.toml"))?.contents_utf8()?;
        Some((language, toml::from_str(text).ok()?))
    };
    LANGUAGES.into_iter().filter_map(words).collect()
});

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    // debug reports show the values, and those may be a citizen's
    environment.set_debug(false);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(|out, state, value| match value.as_str() {
        _ if value.is_none() => Ok(()),
        Some(text) if !value.is_safe() => {
            out.write_str(&escaped(text)).map_err(|_| Error::from(ErrorKind::WriteFailure))
        }
        _ => escape_formatter(out, state, value),
    });
    environment.add_function("t", words_of);
    environment.add_filter("date", date);
    environment.add_filter("moment", moment);
    environment.add_global("style", style_href());
    add_folder(&mut environment, &INCLUDED);
    environment
}

/// A template that can't be read is left out: asking for it says so, and a test asks for each.
fn add_folder(environment: &mut Environment<'static>, folder: &'static Dir<'static>) {
    for file in folder.files().filter(|file| file.path().extension().is_some_and(|e| e == "html")) {
        let name = file.path().to_string_lossy().replace('\\', "/");
        if let Some(text) = file.contents_utf8()
            && let Err(error) = environment.add_template_owned(name.clone(), text)
        {
            tracing::error!(name, error = %detail(&error), "a page's template is wrong");
        }
    }
    for inner in folder.dirs() {
        add_folder(environment, inner);
    }
}

/// A page as HTML, never kept by a browser or a proxy unless the caller says otherwise. `name` is
/// the template's path below `templates/pages` (`citizen/broadcast.html`). The layout reads
/// `title` and, where given, `language` (BCP 47, French without) and `identity`.
pub fn render(name: &str, context: &impl Serialize) -> Response {
    match html(name, context) {
        Ok(html) => with_headers(Html(html).into_response()),
        Err(error) => {
            tracing::error!(name, error = %detail(&error), "a page can't be shown");
            let sorry = "Cette page ne peut pas être affichée. Réessayez plus tard.";
            with_headers((StatusCode::INTERNAL_SERVER_ERROR, sorry).into_response())
        }
    }
}

/// A template's text alone: a page, or a part of one.
///
/// # Errors
/// Where there is no such template or it can't be evaluated.
pub fn html(name: &str, context: &impl Serialize) -> Result<String, Error> {
    ENVIRONMENT.get_template(name)?.render(Serde(context))
}

/// A page that says what went wrong, in a citizen's words.
pub fn sorry(status: StatusCode, language: &str, words: &str) -> Response {
    let context = minijinja::context! {
        language,
        title => phrase(language, "sorry"),
        words => phrase(language, words),
    };
    let mut response = render("citizen/sorry.html", &context);
    if response.status().is_success() {
        *response.status_mut() = status;
    }
    response
}

/// The headers of every page, where the response has not set its own.
#[must_use]
pub fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // addresses of pages hold tokens
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Text as HTML that shows exactly it, in an element or in a quoted attribute.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // no HTML can hold the others (WHATWG 3.2.3)
            c if c.is_control() && c != '\n' && c != '\t' => {}
            c => out.push(c),
        }
    }
    out
}

/// What a language says for a key of `templates/pages/words`; French where it says nothing.
#[must_use]
pub fn phrase(language: &str, key: &str) -> String {
    let find = |language: &str| WORDS.get(language)?.get(key).cloned();
    find(language).or_else(|| find(LANGUAGES[0])).unwrap_or_else(|| key.to_owned())
}

/// The page language for a tag from a request.
#[must_use]
pub fn known_language(tag: Option<&str>) -> &'static str {
    let wanted = tag.unwrap_or_default();
    LANGUAGES.into_iter().find(|known| *known == wanted).unwrap_or(LANGUAGES[0])
}

/// `GET /assets/style.css`. The version in its address makes it cacheable for ever.
pub async fn style(Query(query): Query<HashMap<String, String>>) -> Response {
    let fresh = query.get("v").is_some_and(|version| *version == style_version());
    let cache = if fresh { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, cache)];
    with_headers((headers, STYLE).into_response())
}

const STYLE: &str = include_str!("../../templates/pages/style.css");

fn style_version() -> String {
    crate::model::seal::secret_hash(STYLE).chars().take(12).collect()
}

fn style_href() -> String {
    format!("/assets/style.css?v={}", style_version())
}

/// `{{ t("key") }}` in the page's `language`.
fn words_of(state: &State<'_, '_>, key: &str) -> Result<String, Error> {
    let known = WORDS.get(LANGUAGES[0]).is_some_and(|words| words.contains_key(key));
    if known {
        Ok(phrase(&language_of(state), key))
    } else {
        Err(Error::new(ErrorKind::InvalidOperation, format!("no words for `{key}`")))
    }
}

fn language_of(state: &State<'_, '_>) -> String {
    let language = state.lookup("language");
    language.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// `{{ day | date }}`: a civil date as text, or epoch milliseconds.
fn date(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    match value.as_i64() {
        Some(ms) => dates::date_filter(state, &paris::day(ms).to_string()),
        None => dates::date_filter(state, value.as_str().unwrap_or_default()),
    }
}

/// `{{ at | moment }}`: an RFC 3339 instant as text, or epoch milliseconds; shown in French time.
fn moment(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    match value.as_i64() {
        Some(ms) => dates::moment_filter(state, &paris::instant(ms).to_string()),
        None => dates::moment_filter(state, value.as_str().unwrap_or_default()),
    }
}

/// The error with what it comes from; minijinja says little in the first line.
fn detail(error: &Error) -> String {
    use std::error::Error as _;
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    #[test]
    fn every_template_can_be_read() {
        fn names(folder: &Dir<'_>, into: &mut Vec<String>) {
            for file in folder.files() {
                into.push(file.path().to_string_lossy().into_owned());
            }
            folder.dirs().for_each(|inner| names(inner, into));
        }
        let mut all = Vec::new();
        names(&INCLUDED, &mut all);
        for name in all.iter().filter(|name| name.ends_with(".html")) {
            assert!(ENVIRONMENT.get_template(name).is_ok(), "{name} is not well formed");
        }
    }

    #[test]
    fn every_language_has_every_phrase() {
        let french: Vec<_> = WORDS["fr"].keys().collect();
        for language in LANGUAGES {
            for key in &french {
                assert!(WORDS[language].contains_key(*key), "{language} has no `{key}`");
            }
            assert_eq!(WORDS[language].len(), french.len());
        }
    }

    #[test]
    fn values_are_escaped_and_the_page_is_framed() {
        let context = context! { title => "<b>", words => "<script>alert(1)</script>" };
        let page = html("citizen/sorry.html", &context).unwrap();
        assert!(page.contains("<html lang=\"fr\">"));
        assert!(page.contains("&lt;script&gt;"));
        assert!(!page.contains("<script"));
        assert!(page.contains("href=\"#main\""), "a link to skip to the content");
        let response = render("citizen/sorry.html", &context);
        assert_eq!(response.headers()["referrer-policy"], "no-referrer");
        assert_eq!(render("none.html", &context).status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
