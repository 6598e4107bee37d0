//! The options with which a model was built, as plain values.

use std::collections::BTreeMap;

use crate::Result;

use super::unusable;

/// One option.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OptionValue {
    Nothing,
    Bool(bool),
    /// An integer, a float or a fraction.
    Number(f64),
    Text(String),
    List(Vec<OptionValue>),
    /// Something that only its own program understands.
    Unknown,
}

/// Options by name. Every getter falls back to the default of the class, and refuses a value of another type.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Options(pub(crate) BTreeMap<String, OptionValue>);

impl Options {
    /// A number.
    pub(crate) fn number(&self, name: &str, default: f64) -> Result<f64> {
        match self.0.get(name) {
            None => Ok(default),
            Some(OptionValue::Number(value)) if value.is_finite() => Ok(*value),
            // Python counts its booleans among the integers, and so do training scripts.
            Some(OptionValue::Bool(value)) => Ok(f64::from(u8::from(*value))),
            Some(other) => Err(wrong(name, "a number", other)),
        }
    }

    /// A whole number in `range`; nothing counts as `default`.
    pub(crate) fn count(
        &self,
        name: &str,
        default: usize,
        range: std::ops::RangeInclusive<usize>,
    ) -> Result<usize> {
        if self.0.get(name) == Some(&OptionValue::Nothing) {
            return Ok(default);
        }
        let value = self.number(name, default as f64)?;
        if value.fract() != 0.0 || !(*range.start() as f64..=*range.end() as f64).contains(&value) {
            return Err(unusable(format!("the option {name} = {value} is outside {range:?}")));
        }
        Ok(value as usize)
    }

    /// Yes or no; numbers and nothing count as in Python.
    pub(crate) fn flag(&self, name: &str, default: bool) -> Result<bool> {
        match self.0.get(name) {
            None => Ok(default),
            Some(OptionValue::Bool(value)) => Ok(*value),
            Some(OptionValue::Number(value)) => Ok(*value != 0.0),
            Some(OptionValue::Nothing) => Ok(false),
            Some(other) => Err(wrong(name, "true or false", other)),
        }
    }

    /// A word.
    pub(crate) fn text<'a>(&'a self, name: &str, default: &'a str) -> Result<&'a str> {
        match self.0.get(name) {
            None => Ok(default),
            Some(OptionValue::Text(value)) => Ok(value),
            Some(other) => Err(wrong(name, "a word", other)),
        }
    }

    /// A list of words.
    pub(crate) fn words(&self, name: &str) -> Result<Vec<String>> {
        let Some(OptionValue::List(values)) = self.0.get(name) else {
            return Err(unusable(format!("the option {name} is missing")));
        };
        values
            .iter()
            .map(|value| match value {
                OptionValue::Text(word) => Ok(word.clone()),
                other => Err(wrong(name, "a list of words", other)),
            })
            .collect()
    }

    /// Whether a list has nothing in it; a missing list is empty.
    pub(crate) fn is_empty_list(&self, name: &str) -> bool {
        match self.0.get(name) {
            None | Some(OptionValue::Nothing) => true,
            Some(OptionValue::List(values)) => values.is_empty(),
            Some(_) => false,
        }
    }
}

fn wrong(name: &str, expected: &str, found: &OptionValue) -> crate::Error {
    unusable(format!("the option {name} should be {expected}, not {found:?}"))
}
