use std::fmt;

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// `section.key`, or empty where the file as a whole is meant.
    pub key: String,
    /// The file or environment variable the value came from; none: the built-in default.
    pub origin: Option<String>,
    /// What is wrong. Never holds a secret.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.key.as_str(), &self.origin) {
            ("", Some(origin)) => write!(f, "{origin}: ")?,
            (key, Some(origin)) => write!(f, "{key} ({origin}): ")?,
            ("", None) => {}
            (key, None) => write!(f, "{key}: ")?,
        }
        write!(f, "{}; {}", self.what, self.advice)
    }
}

/// Everything that is wrong with the configuration, found in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Never empty.
    pub problems: Vec<ConfigProblem>,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl From<Vec<ConfigProblem>> for ConfigError {
    fn from(problems: Vec<ConfigProblem>) -> Self {
        Self { problems }
    }
}
