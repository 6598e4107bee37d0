//! Things a listener should know about a file that was read nevertheless.

/// Distinct sentences in the order they came up; reading a file twice does not repeat them.
#[derive(Debug, Clone, Default)]
pub(super) struct Warnings(Vec<String>);

impl Warnings {
    pub(super) fn add(&mut self, warning: impl Into<String>) {
        const MOST: usize = 32;
        let warning = warning.into();
        if self.0.len() < MOST && !self.0.contains(&warning) {
            self.0.push(warning);
        }
    }

    pub(super) fn as_slice(&self) -> &[String] {
        &self.0
    }
}
