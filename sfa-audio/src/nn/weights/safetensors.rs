//! The safetensors format: a JSON header with names, types, shapes and free metadata, then plain numbers.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use ::safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use crate::Result;

use super::{ModelFile, NumberType, OptionValue, Options, Stored, TensorSet, unusable};

/// Reads the tensors and, from the metadata, `klass` and `kwargs` as the `demucs` package stores them.
pub(super) fn parse(bytes: &[u8]) -> Result<ModelFile<'_>> {
    let damaged = |error| unusable(format!("this is no usable safetensors file: {error}")).caused_by(error);
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    if metadata.contains_key("structure") {
        return Err(unusable("quantised models are not supported"));
    }
    let class = entry(&metadata, "klass")?;
    let class = class.rsplit('.').next().unwrap_or(class).to_owned();
    if !matches!(json(&metadata, "args")?, Value::Array(args) if args.is_empty()) {
        return Err(unusable("options without names are not supported"));
    }
    let Value::Object(options) = json(&metadata, "kwargs")? else {
        return Err(unusable("the options in the metadata are no object"));
    };
    let options: BTreeMap<_, _> = options.into_iter().map(|(name, value)| (name, option(value))).collect();
    let mut tensors = TensorSet::default();
    for (name, view) in file.tensors() {
        let kind = match view.dtype() {
            Dtype::F16 => NumberType::Half,
            Dtype::BF16 => NumberType::BFloat,
            Dtype::F32 => NumberType::Single,
            Dtype::F64 => NumberType::Double,
            other => {
                return Err(unusable(format!("the tensor \"{name}\" has the unsupported type {other:?}")));
            }
        };
        let shape = view.shape().to_vec();
        tensors.insert(name, Stored { shape, kind, bytes: Cow::Borrowed(view.data()) });
    }
    Ok(ModelFile { class, options: Options(options), tensors })
}

fn entry<'a>(metadata: &'a HashMap<String, String>, name: &str) -> Result<&'a String> {
    metadata.get(name).ok_or_else(|| unusable(format!("the metadata has no \"{name}\": not a Demucs model")))
}

fn json(metadata: &HashMap<String, String>, name: &str) -> Result<Value> {
    serde_json::from_str(entry(metadata, name)?)
        .map_err(|error| unusable(format!("\"{name}\" in the metadata is no JSON: {error}")).caused_by(error))
}

fn option(value: Value) -> OptionValue {
    match value {
        Value::Null => OptionValue::Nothing,
        Value::Bool(value) => OptionValue::Bool(value),
        Value::Number(value) => value.as_f64().map_or(OptionValue::Unknown, OptionValue::Number),
        Value::String(value) => OptionValue::Text(value),
        Value::Array(values) => OptionValue::List(values.into_iter().map(option).collect()),
        Value::Object(fields) => {
            let number = |name| fields.get(name).and_then(Value::as_f64);
            match (number("numerator"), number("denominator")) {
                (Some(numerator), Some(denominator)) => OptionValue::Number(numerator / denominator),
                _ => OptionValue::Unknown,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn changed_headers_are_survived(changes in prop::collection::vec((0_usize..12_000, any::<u8>()), 1..10)) {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demucs/ht.safetensors");
            let mut bytes = std::fs::read(path).unwrap();
            for (at, byte) in changes {
                bytes[at] = byte;
            }
            let _ = parse(&bytes);
        }
    }
}
