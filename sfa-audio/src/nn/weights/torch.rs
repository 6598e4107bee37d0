//! PyTorch's archive format: a zip file with one pickle that describes everything and one raw entry per storage.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::Result;

use super::pickle::{Node, Pickle};
use super::{ModelFile, NumberType, OptionValue, Options, Stored, TensorSet, unusable};

/// Options nest no deeper than this.
const MAX_NESTING: usize = 4;

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Reads `klass`, `kwargs` and `state` of a model as the `demucs` package saves it.
pub(super) fn parse(bytes: &[u8]) -> Result<ModelFile<'static>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| unusable(format!("this is no usable archive: {error}")).caused_by(error))?;
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let description = names
        .iter()
        .find(|name| name.split_once('/').is_some_and(|(_, file)| file == "data.pkl"))
        .ok_or_else(|| unusable("the archive holds no data.pkl: not a PyTorch file"))?;
    let folder = description.trim_end_matches("data.pkl");
    if names.contains(&format!("{folder}byteorder")) {
        let order = entry(&mut archive, &format!("{folder}byteorder"), bytes.len())?;
        if order != b"little" {
            return Err(unusable("the archive's numbers are not little-endian"));
        }
    }
    let pickle = Pickle::parse(&entry(&mut archive, description, bytes.len())?)?;
    let root = pickle.root();
    let part = |name: &str| {
        pickle
            .get(root, name)
            .ok_or_else(|| unusable(format!("the archive has no \"{name}\": not a Demucs model")))
    };
    let Node::Global(_, class) = part("klass")? else {
        return Err(unusable("the class of the model is not named"));
    };
    if !matches!(part("args")?, Node::Tuple(args) if args.is_empty()) {
        return Err(unusable("options without names are not supported"));
    }
    let options = named(&pickle, part("kwargs")?, |node| Ok(option(&pickle, node, 0)))?;
    let state = part("state")?;
    if pickle.get(state, "__quantized").is_some() {
        return Err(unusable("quantised models are not supported"));
    }
    let mut tensors = TensorSet::default();
    // Every number lies in the file once: a description that asks for more is a bomb.
    let mut budget = bytes.len();
    let described = named(&pickle, state, |node| Described::tensor(&pickle, node))?;
    for (name, stored) in described {
        let tensor = stored
            .ok_or_else(|| unusable("it is no plain tensor"))
            .and_then(|stored| {
                budget = budget
                    .checked_sub(stored.shape.iter().fold(1, |product: usize, &n| product.saturating_mul(n)))
                    .ok_or_else(|| unusable("it is larger than the file"))?;
                stored.read(&mut archive, folder, bytes.len())
            })
            .map_err(|error| {
                unusable(format!("the tensor \"{name}\" cannot be read: {}", error.message()))
            })?;
        tensors.insert(name, tensor);
    }
    Ok(ModelFile { class: class.clone(), options: Options(options), tensors })
}

/// One entry of the archive, which is stored, so never longer than the file.
fn entry(archive: &mut Archive<'_>, name: &str, limit: usize) -> Result<Vec<u8>> {
    let failed = |error: zip::result::ZipError| {
        unusable(format!("the archive's entry {name} cannot be read: {error}")).caused_by(error)
    };
    let file = archive.by_name(name).map_err(failed)?;
    let mut bytes = Vec::new();
    let read = file.take(limit as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| unusable(format!("the archive's entry {name} is damaged")).caused_by(error))?;
    Ok(bytes)
}

/// A dictionary with text keys.
fn named<T>(pickle: &Pickle, node: &Node, value: impl Fn(&Node) -> Result<T>) -> Result<BTreeMap<String, T>> {
    let entries =
        pickle.entries(node).ok_or_else(|| unusable("a dictionary is missing in the description"))?;
    entries
        .iter()
        .map(|(key, node)| match pickle.node(*key) {
            Node::Text(name) => Ok((name.clone(), value(pickle.node(*node))?)),
            _ => Err(unusable("a name in the description is no text")),
        })
        .collect()
}

fn option(pickle: &Pickle, node: &Node, nesting: usize) -> OptionValue {
    match node {
        Node::Nothing => OptionValue::Nothing,
        Node::Bool(value) => OptionValue::Bool(*value),
        Node::Int(value) => OptionValue::Number(*value as f64),
        Node::Float(value) => OptionValue::Number(*value),
        Node::Text(value) => OptionValue::Text(value.clone()),
        Node::Tuple(values) | Node::List(values) if nesting < MAX_NESTING => {
            OptionValue::List(values.iter().map(|&id| option(pickle, pickle.node(id), nesting + 1)).collect())
        }
        Node::Call { callee, arguments, .. } => match (pickle.node(*callee), pickle.node(*arguments)) {
            (Node::Global(_, name), Node::Tuple(arguments)) if name == "Fraction" => {
                fraction(pickle, arguments).map_or(OptionValue::Unknown, OptionValue::Number)
            }
            _ => OptionValue::Unknown,
        },
        _ => OptionValue::Unknown,
    }
}

/// `Fraction(39, 5)` or `Fraction("39/5")`.
fn fraction(pickle: &Pickle, arguments: &[usize]) -> Option<f64> {
    match arguments.iter().map(|&id| pickle.node(id)).collect::<Vec<_>>()[..] {
        [Node::Int(numerator), Node::Int(denominator)] => Some(*numerator as f64 / *denominator as f64),
        [Node::Int(whole)] => Some(*whole as f64),
        [Node::Text(text)] => match text.split_once('/') {
            Some((numerator, denominator)) => {
                Some(numerator.parse::<f64>().ok()? / denominator.parse::<f64>().ok()?)
            }
            None => text.parse().ok(),
        },
        _ => None,
    }
}

/// Where a tensor's numbers lie.
struct Described {
    kind: NumberType,
    key: String,
    offset: usize,
    shape: Vec<usize>,
}

impl Described {
    /// `_rebuild_tensor_v2(persistent ("storage", type, key, device, length), offset, shape, strides, ...)`, or
    /// `None` where the node is something else.
    fn tensor(pickle: &Pickle, node: &Node) -> Result<Option<Self>> {
        let Node::Call { callee, arguments, .. } = node else { return Ok(None) };
        let (Node::Global(_, callee), Node::Tuple(arguments)) =
            (pickle.node(*callee), pickle.node(*arguments))
        else {
            return Ok(None);
        };
        let arguments: Vec<&Node> = arguments.iter().map(|&id| pickle.node(id)).collect();
        let [Node::Persistent(storage), Node::Int(offset), Node::Tuple(shape), Node::Tuple(strides), ..] =
            arguments[..]
        else {
            return Ok(None);
        };
        let Node::Tuple(storage) = pickle.node(*storage) else { return Ok(None) };
        let storage: Vec<&Node> = storage.iter().map(|&id| pickle.node(id)).collect();
        let [Node::Text(tag), Node::Global(_, kind), Node::Text(key), ..] = storage[..] else {
            return Ok(None);
        };
        if callee != "_rebuild_tensor_v2" || tag != "storage" {
            return Ok(None);
        }
        let kind = match kind.as_str() {
            "HalfStorage" => NumberType::Half,
            "BFloat16Storage" => NumberType::BFloat,
            "FloatStorage" => NumberType::Single,
            "DoubleStorage" => NumberType::Double,
            other => return Err(unusable(format!("a tensor has the unsupported type {other}"))),
        };
        let sizes = |ids: &[usize]| -> Option<Vec<usize>> {
            ids.iter()
                .map(|&id| match pickle.node(id) {
                    Node::Int(size) => usize::try_from(*size).ok(),
                    _ => None,
                })
                .collect()
        };
        let (Some(shape), Some(strides), Ok(offset)) =
            (sizes(shape), sizes(strides), usize::try_from(*offset))
        else {
            return Ok(None);
        };
        if !is_dense(&shape, &strides) {
            return Err(unusable("a tensor is not stored densely"));
        }
        Ok(Some(Self { kind, key: key.clone(), offset, shape }))
    }

    fn read(&self, archive: &mut Archive<'_>, folder: &str, limit: usize) -> Result<Stored<'static>> {
        if self.key.is_empty() || !self.key.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(unusable("its storage has no proper name"));
        }
        let mut bytes = entry(archive, &format!("{folder}data/{}", self.key), limit)?;
        let length =
            self.shape.iter().try_fold(self.kind.bytes(), |product, &size| product.checked_mul(size));
        let start = self.offset.checked_mul(self.kind.bytes());
        let range = start.zip(length).and_then(|(start, length)| Some(start..start.checked_add(length)?));
        let range = range
            .filter(|range| range.end <= bytes.len())
            .ok_or_else(|| unusable("its storage is too short"))?;
        bytes.truncate(range.end);
        bytes.drain(..range.start);
        Ok(Stored { shape: self.shape.clone(), kind: self.kind, bytes: Cow::Owned(bytes) })
    }
}

fn is_dense(shape: &[usize], strides: &[usize]) -> bool {
    let mut step = 1_usize;
    shape.len() == strides.len()
        && shape.iter().zip(strides).rev().all(|(&size, &stride)| {
            let fits = size == 1 || stride == step;
            step = step.saturating_mul(size);
            fits
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn example() -> Vec<u8> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demucs/ht.th");
        std::fs::read(path).unwrap()
    }

    #[test]
    fn both_formats_hold_the_same_model() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demucs/ht.safetensors");
        let bytes = std::fs::read(&path).unwrap();
        let other = ModelFile::parse(&bytes).unwrap();
        let archive = parse(&example()).unwrap();
        assert_eq!(archive.class, other.class);
        assert_eq!(archive.options, other.options);
        assert_eq!(archive.tensors, other.tensors);
    }

    #[test]
    fn dense_means_row_after_row() {
        assert!(is_dense(&[2, 3], &[3, 1]) && is_dense(&[2, 1, 3], &[3, 7, 1]) && is_dense(&[], &[]));
        assert!(!is_dense(&[2, 3], &[1, 2]) && !is_dense(&[3], &[0]) && !is_dense(&[3], &[]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn changed_bytes_are_survived(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
            let mut bytes = example();
            // The description stands at the start, the directory at the end; numbers in between may be anything.
            let ends: Vec<usize> = (0..40_000).chain(bytes.len() - 20_000..bytes.len()).collect();
            for (index, byte) in changes {
                let at = ends[index.index(ends.len())];
                bytes[at] = byte;
            }
            let _ = ModelFile::parse(&bytes);
        }
    }
}
