//! The mail's frame: MJML compiled to HTML with inlined styles once, a template per register.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use mrml::prelude::{parser::ParserOptions, render::RenderOptions};
use portevoix_contract::Register;
use serde::Serialize;

use crate::error::EmailError;

const DEFAULT_LAYOUT: &str = include_str!("../../../templates/mail/layout.mjml");

/// What a layout may name: `lang`, `title`, `identity`, `claim`, `body`, `footer`, `signature`,
/// `links` (each `label` and `url`). All is escaped already, and marked so; what is not marked is
/// escaped by the engine.
#[derive(Serialize)]
pub(crate) struct Filling<'a> {
    pub lang: &'a str,
    pub title: Value,
    pub identity: Value,
    pub claim: Option<Value>,
    pub body: Value,
    pub footer: Value,
    pub signature: Vec<Value>,
    pub links: Vec<LayoutLink>,
}

#[derive(Serialize)]
pub(crate) struct LayoutLink {
    pub label: Value,
    pub url: Value,
}

#[derive(Debug)]
pub(crate) struct Layout {
    environment: Environment<'static>,
}

impl Layout {
    /// Compiles the built-in layout or `source` in its place, and tries it once, so that a
    /// placeholder that does not exist is found before the first mail.
    pub(crate) fn compile(source: Option<&str>) -> Result<Self, EmailError> {
        let source = source.unwrap_or(DEFAULT_LAYOUT);
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (register, text, title) in
            [(Register::Standard, "16px", "26px"), (Register::Plain, "19px", "28px")]
        {
            let sized = source.replace("{TEXT_SIZE}", text).replace("{TITLE_SIZE}", title);
            environment
                .add_template_owned(register.as_str(), html_of(&sized)?)
                .map_err(|error| EmailError::Layout(error.to_string()))?;
        }
        let layout = Self { environment };
        layout.try_once()?;
        Ok(layout)
    }

    pub(crate) fn render(
        &self,
        register: Register,
        filling: &Filling<'_>,
    ) -> Result<String, minijinja::Error> {
        self.environment.get_template(register.as_str())?.render(minijinja::value::Serde(filling))
    }

    fn try_once(&self) -> Result<(), EmailError> {
        let filling = Filling {
            lang: "fr",
            title: "Titre".into(),
            identity: "Métropole".into(),
            claim: Some("Version simplifiée".into()),
            body: Value::from_safe_string("<p>corps</p>".to_owned()),
            footer: Value::from_safe_string("<p>pied</p>".to_owned()),
            signature: vec!["Adresse".into()],
            links: vec![LayoutLink { label: "Lien".into(), url: "https://example.org".into() }],
        };
        let html = self
            .render(Register::Standard, &filling)
            .map_err(|error| EmailError::Layout(error.to_string()))?;
        if html.contains("<p>corps</p>") {
            Ok(())
        } else {
            Err(EmailError::Layout("it has no `{{ body }}`".to_owned()))
        }
    }
}

fn html_of(mjml: &str) -> Result<String, EmailError> {
    let parsed = mrml::parse_with_options(mjml, &ParserOptions::default())
        .map_err(|error| EmailError::Layout(error.to_string()))?;
    // No font is fetched from anyone: mails hold no third-party resource.
    let options =
        RenderOptions { fonts: std::collections::HashMap::new(), ..RenderOptions::default() };
    let html =
        parsed.element.render(&options).map_err(|error| EmailError::Layout(error.to_string()))?;
    css_inline::CSSInliner::options()
        .load_remote_stylesheets(false)
        .keep_style_tags(true)
        .remove_inlined_selectors(true)
        .build()
        .inline(&html)
        .map_err(|error| EmailError::Layout(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_that_cannot_work_is_refused_at_once() {
        for (source, word) in [
            ("<mjml><mj-body><mj-section>", "layout"),
            (
                "<mjml><mj-body><mj-raw>{{ nothing }}{{ body }}</mj-raw></mj-body></mjml>",
                "undefined",
            ),
            ("<mjml><mj-body><mj-raw>{{ title }}</mj-raw></mj-body></mjml>", "body"),
        ] {
            let error = Layout::compile(Some(source)).expect_err(source);
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn the_built_in_layout_asks_nobody_for_anything() {
        let layout = Layout::compile(None).expect("compiles");
        let source =
            layout.environment.get_template("standard").expect("there").source().to_owned();
        for wrong in ["fonts.googleapis", "<img", "<script", "@import", "http://", "https://"] {
            let rest = source
                .replace("http://www.w3.org/1999/xhtml", "")
                .replace("http://www.w3.org/2000/svg", "");
            assert!(!rest.contains(wrong), "{wrong} in {rest}");
        }
    }
}
