//! The pages that the law asks for, where the authority has none of its own to link to: the
//! demo's, and a test's.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    response::{IntoResponse, Redirect},
};
use minijinja::context;
use url::Url;

use super::{Asked, Page, language};
use crate::web::{Parts, pages};

pub(super) async fn accessibility(
    State(parts): State<Arc<Parts>>,
    Query(asked): Query<Asked>,
) -> Page {
    let own = parts.settings.identity.accessibility_statement.as_ref();
    Ok(page(&parts, &asked, own, "accessibility"))
}

pub(super) async fn personal_data(
    State(parts): State<Arc<Parts>>,
    Query(asked): Query<Asked>,
) -> Page {
    let own = parts.settings.identity.personal_data.as_ref();
    Ok(page(&parts, &asked, own, "personal_data"))
}

fn page(parts: &Parts, asked: &Asked, own: Option<&Url>, name: &str) -> axum::response::Response {
    if let Some(own) = own {
        return pages::with_headers(Redirect::temporary(own.as_str()).into_response());
    }
    let identity = &parts.settings.identity;
    let language = language(asked, None);
    let context = context! {
        language,
        identity => identity.name.as_str(),
        title => pages::phrase(language, name),
        contact => context! {
            service => identity.service.as_str(),
            email => identity.contact_email.as_deref(),
            phone => identity.contact_phone.as_deref(),
            address => identity.contact_address.as_deref(),
        },
    };
    pages::render(&format!("citizen/{name}.html"), &context)
}
