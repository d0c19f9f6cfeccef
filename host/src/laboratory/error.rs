//! What can be wrong with a request to the laboratory; every message is one line.

use std::path::{Path, PathBuf};

/// Why the laboratory refuses.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A format, flag or name that says nothing.
    #[error("{what} '{text}': {why}")]
    Syntax {
        /// Kind of text: `format`, `variable`, `axis`, …
        what: &'static str,
        /// What was written.
        text: String,
        /// What is wrong with it, and what would be right.
        why: String,
    },
    /// A format that its variable cannot have.
    #[error("{variable}@{layer}: {why}")]
    Format {
        /// The variable.
        variable: &'static str,
        /// `hidden0`, `output`, …
        layer: String,
        /// What is wrong.
        why: String,
    },
    /// A file that cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that does not say what it should.
    #[error("{}: {why}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The images.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    /// A network or a run that is not possible.
    #[error(transparent)]
    Plan(#[from] crate::experiment::PlanError),
    /// A figure that could not be drawn.
    #[error("figure: {0}")]
    Figure(String),
}

impl LabError {
    pub(crate) fn syntax(what: &'static str, text: &str, why: impl Into<String>) -> Self {
        Self::Syntax { what, text: text.into(), why: why.into() }
    }

    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::File { path: path.into(), source }
    }

    pub(crate) fn content(path: &Path, why: impl ToString) -> Self {
        // Parsers like to draw; the first line says enough.
        let why = why
            .to_string()
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("; ");
        Self::Content { path: path.into(), why }
    }
}
