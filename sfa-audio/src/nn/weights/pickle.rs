//! A reader for Python's pickle protocol 2, as far as PyTorch writes it, that executes nothing.
//!
//! A pickle is a program for a stack machine. This machine builds plain nodes; where the program asks for a class
//! or a call, it notes the wish and goes on. Nodes live in one list and refer to each other by number, so that
//! nothing is ever copied and a program of n bytes makes at most n nodes.

use crate::Result;

use super::unusable;

/// The longest program accepted. The official models' are below 200 kB.
const MAX_BYTES: usize = 16 << 20;

/// A node's number.
pub(super) type Id = usize;

/// What a pickle describes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Nothing,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A class or function by module and name.
    Global(String, String),
    /// A call that was asked for, and the items that were to be set on its result.
    Call {
        callee: Id,
        arguments: Id,
        items: Vec<(Id, Id)>,
    },
    /// Something kept outside of the pickle.
    Persistent(Id),
}

/// Everything a pickle describes.
#[derive(Debug)]
pub(super) struct Pickle {
    nodes: Vec<Node>,
    root: Id,
}

impl Pickle {
    /// Reads a program.
    ///
    /// # Errors
    /// `ModelUnavailable` for anything but a well-formed program of the known instructions.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_BYTES {
            return Err(unusable("the description of the model is absurdly long"));
        }
        let mut machine = Machine::default();
        let mut code = Code { bytes, position: 0 };
        loop {
            let opcode = code.byte()?;
            if opcode == b'.' {
                let root = machine.pop()?;
                return Ok(Self { nodes: machine.nodes, root });
            }
            machine.step(opcode, &mut code)?;
        }
    }

    /// The whole.
    pub(super) fn root(&self) -> &Node {
        &self.nodes[self.root]
    }

    /// A part.
    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    /// The entries of a dictionary, ordered or not.
    pub(super) fn entries<'a>(&'a self, node: &'a Node) -> Option<&'a [(Id, Id)]> {
        match node {
            Node::Dict(entries) => Some(entries),
            Node::Call { callee, items, .. } => match self.node(*callee) {
                Node::Global(_, name) if name == "OrderedDict" => Some(items),
                _ => None,
            },
            _ => None,
        }
    }

    /// The value of a text key in a dictionary; the last one if there are several.
    pub(super) fn get<'a>(&'a self, node: &'a Node, key: &str) -> Option<&'a Node> {
        let found = self
            .entries(node)?
            .iter()
            .rev()
            .find(|(name, _)| matches!(self.node(*name), Node::Text(name) if name == key));
        found.map(|(_, value)| self.node(*value))
    }
}

/// The program and how far it was read.
struct Code<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Code<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8]> {
        let end = self.position.checked_add(count).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| malformed("it ends in the middle"))?;
        let taken = &self.bytes[self.position..end];
        self.position = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn u32(&mut self) -> Result<usize> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize)
    }

    fn line(&mut self) -> Result<String> {
        let rest = &self.bytes[self.position..];
        let length =
            rest.iter().position(|&byte| byte == b'\n').ok_or_else(|| malformed("a line has no end"))?;
        let line = text(&rest[..length])?;
        self.position += length + 1;
        Ok(line)
    }
}

fn text(bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|error| malformed("a text is not UTF-8").caused_by(error))
}

fn malformed(what: &str) -> crate::Error {
    unusable(format!("the description of the model is damaged: {what}"))
}

/// An entry of the stack.
#[derive(Clone, Copy)]
enum Slot {
    Value(Id),
    Mark,
}

#[derive(Default)]
struct Machine {
    nodes: Vec<Node>,
    stack: Vec<Slot>,
    memo: std::collections::HashMap<usize, Id>,
}

impl Machine {
    fn push(&mut self, node: Node) {
        self.stack.push(Slot::Value(self.nodes.len()));
        self.nodes.push(node);
    }

    fn pop(&mut self) -> Result<Id> {
        match self.stack.pop() {
            Some(Slot::Value(id)) => Ok(id),
            _ => Err(malformed("the stack is empty")),
        }
    }

    fn top(&self) -> Result<Id> {
        match self.stack.last() {
            Some(Slot::Value(id)) => Ok(*id),
            _ => Err(malformed("the stack is empty")),
        }
    }

    /// Everything above the last mark.
    fn pop_marked(&mut self) -> Result<Vec<Id>> {
        let mark = self.stack.iter().rposition(|slot| matches!(slot, Slot::Mark));
        let mark = mark.ok_or_else(|| malformed("a mark is missing"))?;
        let values = self.stack.drain(mark..).skip(1).filter_map(|slot| match slot {
            Slot::Value(id) => Some(id),
            Slot::Mark => None,
        });
        Ok(values.collect())
    }

    fn pop_tuple(&mut self, count: usize) -> Result<()> {
        let mut values = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>>>()?;
        values.reverse();
        self.push(Node::Tuple(values));
        Ok(())
    }

    fn set_items(&mut self, flat: &[Id]) -> Result<()> {
        let target = self.top()?;
        let pairs = flat.chunks_exact(2).map(|pair| (pair[0], pair[1]));
        match &mut self.nodes[target] {
            Node::Dict(items) | Node::Call { items, .. } => items.extend(pairs),
            _ => return Err(malformed("items are set on something without items")),
        }
        Ok(())
    }

    fn append(&mut self, values: &[Id]) -> Result<()> {
        let target = self.top()?;
        match &mut self.nodes[target] {
            Node::List(items) => items.extend(values),
            Node::Call { .. } => {}
            _ => return Err(malformed("something is appended to what is no list")),
        }
        Ok(())
    }

    fn recall(&mut self, key: usize) -> Result<()> {
        let id = *self.memo.get(&key).ok_or_else(|| malformed("it recalls what it never noted"))?;
        self.stack.push(Slot::Value(id));
        Ok(())
    }

    fn memorise(&mut self, key: usize) -> Result<()> {
        let id = self.top()?;
        self.memo.insert(key, id);
        Ok(())
    }

    fn step(&mut self, opcode: u8, code: &mut Code<'_>) -> Result<()> {
        match opcode {
            // PROTO
            0x80 => match code.byte()? {
                2 => {}
                version => return Err(malformed(&format!("protocol {version} is not supported"))),
            },
            // MARK, POP_MARK, POP
            b'(' => self.stack.push(Slot::Mark),
            b'1' => drop(self.pop_marked()?),
            b'0' => drop(self.pop()?),
            // BINPUT, LONG_BINPUT, BINGET, LONG_BINGET
            b'q' => {
                let key = code.byte()?.into();
                self.memorise(key)?;
            }
            b'r' => {
                let key = code.u32()?;
                self.memorise(key)?;
            }
            b'h' => {
                let key = code.byte()?.into();
                self.recall(key)?;
            }
            b'j' => {
                let key = code.u32()?;
                self.recall(key)?;
            }
            // NONE, NEWTRUE, NEWFALSE
            b'N' => self.push(Node::Nothing),
            0x88 => self.push(Node::Bool(true)),
            0x89 => self.push(Node::Bool(false)),
            // BININT, BININT1, BININT2, LONG1
            b'J' => {
                let value = code.u32()? as u32 as i32;
                self.push(Node::Int(value.into()));
            }
            b'K' => {
                let value = code.byte()?;
                self.push(Node::Int(value.into()));
            }
            b'M' => {
                let bytes = code.take(2)?;
                let value = u16::from_le_bytes([bytes[0], bytes[1]]);
                self.push(Node::Int(value.into()));
            }
            0x8a => {
                let value = long(code)?;
                self.push(Node::Int(value));
            }
            // BINFLOAT is the only big-endian number.
            b'G' => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(code.take(8)?);
                self.push(Node::Float(f64::from_be_bytes(bytes)));
            }
            // BINUNICODE
            b'X' => {
                let length = code.u32()?;
                let value = text(code.take(length)?)?;
                self.push(Node::Text(value));
            }
            // EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2, TUPLE3
            b')' => self.push(Node::Tuple(Vec::new())),
            b't' => {
                let values = self.pop_marked()?;
                self.push(Node::Tuple(values));
            }
            0x85..=0x87 => self.pop_tuple(usize::from(opcode - 0x84))?,
            // EMPTY_LIST, APPEND, APPENDS
            b']' => self.push(Node::List(Vec::new())),
            b'a' => {
                let value = self.pop()?;
                self.append(&[value])?;
            }
            b'e' => {
                let values = self.pop_marked()?;
                self.append(&values)?;
            }
            // EMPTY_DICT, SETITEM, SETITEMS
            b'}' => self.push(Node::Dict(Vec::new())),
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set_items(&[key, value])?;
            }
            b'u' => {
                let values = self.pop_marked()?;
                self.set_items(&values)?;
            }
            // GLOBAL, REDUCE, NEWOBJ, BUILD, BINPERSID: wishes, noted and not granted.
            b'c' => {
                let (module, name) = (code.line()?, code.line()?);
                self.push(Node::Global(module, name));
            }
            b'R' | 0x81 => {
                let arguments = self.pop()?;
                let callee = self.pop()?;
                self.push(Node::Call { callee, arguments, items: Vec::new() });
            }
            b'b' => drop(self.pop()?),
            b'Q' => {
                let name = self.pop()?;
                self.push(Node::Persistent(name));
            }
            other => return Err(malformed(&format!("it uses the unknown instruction {other:#04x}"))),
        }
        Ok(())
    }
}

/// LONG1: up to 255 little-endian bytes in two's complement; we take what fits 64 bits.
fn long(code: &mut Code<'_>) -> Result<i64> {
    let length = usize::from(code.byte()?);
    let bytes = code.take(length)?;
    if length > 8 {
        return Err(malformed("a number is too large"));
    }
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut wide = [if negative { 0xff } else { 0 }; 8];
    wide[..length].copy_from_slice(bytes);
    Ok(i64::from_le_bytes(wide))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(program: &[u8]) -> Result<Pickle> {
        Pickle::parse(program)
    }

    #[test]
    fn plain_values_are_read() {
        // {"a": [1, -2, 2.5, None, True, ("x",)]}
        let mut program = b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffG".to_vec();
        program.extend(2.5_f64.to_be_bytes());
        program.extend(b"N\x88X\x01\x00\x00\x00x\x85es.");
        let pickle = parse(&program).unwrap();
        let Some(Node::List(items)) = pickle.get(pickle.root(), "a") else { panic!("{pickle:?}") };
        let items: Vec<&Node> = items.iter().map(|&id| pickle.node(id)).collect();
        assert_eq!(
            items[..5],
            [&Node::Int(1), &Node::Int(-2), &Node::Float(2.5), &Node::Nothing, &Node::Bool(true)]
        );
        assert!(matches!(items[5], Node::Tuple(inner) if pickle.node(inner[0]) == &Node::Text("x".into())));
    }

    #[test]
    fn a_call_is_noted_and_not_made() {
        let pickle = parse(b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00lsofq\x00\x85R.").unwrap();
        let Node::Call { callee, .. } = pickle.root() else { panic!("{pickle:?}") };
        assert_eq!(pickle.node(*callee), &Node::Global("os".into(), "system".into()));
    }

    #[test]
    fn a_list_that_holds_itself_and_doubles_costs_nothing() {
        let mut program = b"\x80\x02]q\x00h\x00a".to_vec();
        program.extend(b"]h\x00ah\x00a".repeat(1000));
        program.push(b'.');
        assert!(parse(&program).is_ok());
    }

    #[test]
    fn damage_is_told_and_never_a_panic() {
        for program in [
            &b""[..],
            b".",
            b"\x80\x04.",
            b"\x80\x02h\x07.",
            b"\x80\x02X\xff\xff\xff\xff.",
            b"\x80\x02t.",
            b"\x80\x02K\x01K\x02K\x03s.",
            b"\x80\x02cnoline",
            b"\x80\x02\x8a\xff.",
            b"\x80\x02(R.",
            b"\x80\x02\xff.",
        ] {
            assert_eq!(parse(program).unwrap_err().kind(), crate::ErrorKind::ModelUnavailable, "{program:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_programs_are_survived(program in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&program);
        }

        #[test]
        fn arbitrary_instructions_are_survived(
            program in prop::collection::vec(prop::sample::select(&b"\x80\x02(10qrhjNKMJGX)t\x85\x86\x87]ae}sucR\x81bQ.\n\0"[..]), 0..300),
        ) {
            if let Ok(pickle) = parse(&program) {
                prop_assert!(pickle.nodes.len() <= program.len());
            }
        }
    }
}
