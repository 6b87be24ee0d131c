//! A profile as pprof has it: `profile.proto` of google/pprof, compressed. The numbers of its fields never change.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::symbols::{Place, Symbols};
use super::{PERIOD, Taken};

/// What was taken, with names, in its format.
///
/// # Errors
/// None that can be told from a machine without memory.
pub(super) fn profile(taken: &Taken) -> io::Result<Vec<u8>> {
    let mut book = Book::default();
    let mut symbols = Symbols::new(&taken.images);
    let mut samples = Message::default();
    let (of_thread, period_ns) = (book.text("thread"), nanoseconds(PERIOD));
    for (stack, count) in taken.stacks.iter() {
        let locations = stack.addresses.iter();
        let locations: Vec<u64> = locations
            .map(|address| book.location(*address, taken, &mut symbols))
            .collect();
        let label = Message::default()
            .number(1, of_thread)
            .number(2, book.text(&stack.thread));
        let sample = Message::default()
            .numbers(1, &locations)
            .numbers(2, &[count, count.saturating_mul(period_ns)])
            .message(3, &label);
        samples = samples.message(2, &sample);
    }
    let count = book.value_type("samples", "count");
    let time = book.value_type("cpu", "nanoseconds");
    let comment = book.text(&comment(taken));
    let began = taken.began.duration_since(SystemTime::UNIX_EPOCH);
    let profile = Message::default()
        .message(1, &count)
        .message(1, &time)
        .append(&samples)
        .append(&mappings(taken, &mut book))
        .append(&book.locations)
        .append(&book.functions)
        .number(9, nanoseconds(began.unwrap_or_default()))
        .number(10, nanoseconds(taken.lasted))
        .message(11, &time)
        .number(12, period_ns)
        .number(13, comment)
        .append(&book.texts());
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&profile.0)?;
    gzip.finish()
}

/// What the figures don't say.
fn comment(taken: &Taken) -> String {
    let kernel = match taken.with_kernel {
        true => "with time in the kernel",
        false => {
            "without time in the kernel: CAP_PERFMON, or kernel.perf_event_paranoid=1, shows it"
        }
    };
    format!(
        "recado-server; {kernel}; samples lost: {}; threads not seen: {}",
        taken.lost, taken.unseen
    )
}

/// Which code lies where. It has names already, so nobody needs to look for any.
fn mappings(taken: &Taken, book: &mut Book) -> Message {
    let mut all = Message::default();
    for (number, image) in (1..).zip(taken.images.iter()) {
        let mapping = Message::default()
            .number(1, number)
            .number(2, image.addresses.start)
            .number(3, image.addresses.end)
            .number(4, image.offset)
            .number(5, book.text(&image.name))
            .number(7, 1)
            .number(8, 1)
            .number(9, 1)
            .number(10, 1);
        all = all.message(3, &mapping);
    }
    all
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What the samples refer to by number. Numbers begin with 1, but for texts, of which the first is empty.
#[derive(Default)]
struct Book {
    by_text: HashMap<String, u64>,
    by_function: HashMap<(String, String), u64>,
    by_address: HashMap<u64, u64>,
    in_order: Vec<String>,
    functions: Message,
    locations: Message,
}

impl Book {
    fn text(&mut self, text: &str) -> u64 {
        if text.is_empty() {
            return 0;
        }
        if let Some(number) = self.by_text.get(text) {
            return *number;
        }
        self.in_order.push(text.to_owned());
        let number = self.in_order.len() as u64;
        self.by_text.insert(text.to_owned(), number);
        number
    }

    fn texts(&self) -> Message {
        let first = Message::default().bytes(6, b"");
        let texts = self.in_order.iter();
        texts.fold(first, |all, text| all.bytes(6, text.as_bytes()))
    }

    fn value_type(&mut self, kind: &str, unit: &str) -> Message {
        let (kind, unit) = (self.text(kind), self.text(unit));
        Message::default().number(1, kind).number(2, unit)
    }

    fn location(&mut self, address: u64, taken: &Taken, symbols: &mut Symbols<'_>) -> u64 {
        let next = self.by_address.len() as u64 + 1;
        match self.by_address.entry(address) {
            Entry::Occupied(known) => return *known.get(),
            Entry::Vacant(new) => drop(new.insert(next)),
        }
        let mapping = taken.images.of(address);
        let mapping = mapping.map_or(0, |(number, _)| number as u64 + 1);
        let mut location = Message::default()
            .number(1, next)
            .number(2, mapping)
            .number(3, address);
        for place in symbols.places(address) {
            let line = Message::default()
                .number(1, self.function(&place))
                .number(2, u64::from(place.line));
            location = location.message(4, &line);
        }
        self.locations = std::mem::take(&mut self.locations).message(4, &location);
        next
    }

    fn function(&mut self, place: &Place) -> u64 {
        let key = (place.function.clone(), place.file.clone());
        if let Some(number) = self.by_function.get(&key) {
            return *number;
        }
        let number = self.by_function.len() as u64 + 1;
        self.by_function.insert(key, number);
        let (name, symbol) = (self.text(&place.function), self.text(&place.symbol));
        let function = Message::default()
            .number(1, number)
            .number(2, name)
            .number(3, symbol)
            .number(4, self.text(&place.file));
        self.functions = std::mem::take(&mut self.functions).message(5, &function);
        number
    }
}

/// Fields of a message of protocol buffers, each behind its number and kind.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn number(mut self, field: u64, number: u64) -> Self {
        // What is 0 is not written.
        if number != 0 {
            self.varint(field << 3);
            self.varint(number);
        }
        self
    }

    fn numbers(self, field: u64, numbers: &[u64]) -> Self {
        let mut packed = Self::default();
        numbers.iter().for_each(|number| packed.varint(*number));
        self.bytes(field, &packed.0)
    }

    fn message(self, field: u64, inner: &Self) -> Self {
        self.bytes(field, &inner.0)
    }

    fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    /// The fields of another one behind its own.
    fn append(mut self, other: &Self) -> Self {
        self.0.extend_from_slice(&other.0);
        self
    }

    /// Seven bits a byte, the lowest first; all but the last have the eighth.
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_protocol_buffers_have_them() {
        // 1: 150, 2: "testing", 4: [3, 270, 86942], of the description of the encoding; 3: 0 is left out.
        let message = Message::default()
            .number(1, 150)
            .bytes(2, b"testing")
            .number(3, 0)
            .numbers(4, &[3, 270, 86_942]);
        let expected = [
            &[0x08, 0x96, 0x01, 0x12, 0x07][..],
            b"testing",
            &[0x22, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05],
        ];
        assert_eq!(message.0, expected.concat());
    }

    #[test]
    fn each_text_stands_once_behind_an_empty_one() {
        let mut book = Book::default();
        assert_eq!((book.text("a"), book.text(""), book.text("b")), (1, 0, 2));
        assert_eq!(book.text("a"), 1);
        let expected = [&[0x32, 0, 0x32, 1][..], b"a", &[0x32, 1], b"b"];
        assert_eq!(book.texts().0, expected.concat());
    }
}
