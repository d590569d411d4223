use std::path::PathBuf;

use serde::Deserialize;

use super::check::given_path;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTemplates {
    folder: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateSettings {
    /// Files here stand in front of the built-in ones.
    pub folder: Option<PathBuf>,
}

impl RawTemplates {
    pub(super) fn validate(&self) -> TemplateSettings {
        TemplateSettings { folder: given_path(&self.folder) }
    }
}
