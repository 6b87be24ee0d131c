//! The reader itself: keys, values, blocks, includes and variables, by recursive descent whose
//! depth is bounded by [`DEPTH_MAX`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cursor::{Cursor, is_line_end, is_space};
use super::scalar::{Word, read_word};
use super::value::{
    Array, DEPTH_MAX, Data, Entry, Extent, Map, Origin, TEXT_BYTES_MAX, VALUES_MAX, Value,
};
use crate::config::fault::{Fault, Place};
use crate::config::messages::{Inside, SyntaxProblem};
use crate::config::surroundings::Surroundings;

/// Files that one configuration may include, directly and through each other.
pub const INCLUDES_MAX: usize = 1000;

/// Warnings that are kept: nobody reads more.
const WARNINGS_MAX: usize = 100;

/// A configuration as it was written.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The entries of the file.
    pub map: Map,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Fault>,
}

/// Reads a file and everything that it includes.
///
/// The first thing that is not the language ends it, with the file, line and column.
pub fn parse_file(path: &Path, surroundings: &dyn Surroundings) -> Result<Parsed, Fault> {
    let mut reading = Reading::new(surroundings);
    let map = reading.read_file(path).map_err(|problem| match problem {
        FileProblem::Inside(fault) => *fault,
        FileProblem::Itself(problem) => Fault::anywhere(problem),
    })?;
    Ok(Parsed {
        map,
        warnings: reading.warnings,
    })
}

/// Reads a text as if it stood in the file `name`, whose directory includes are relative to.
pub fn parse_text(
    text: &str,
    name: &Path,
    surroundings: &dyn Surroundings,
) -> Result<Parsed, Fault> {
    let mut reading = Reading::new(surroundings);
    let map = reading.read_text(text, name)?;
    Ok(Parsed {
        map,
        warnings: reading.warnings,
    })
}

/// What all files of one configuration share.
struct Reading<'a> {
    surroundings: &'a dyn Surroundings,
    /// Files being read now, the outermost first.
    open_files: Vec<PathBuf>,
    /// Environment variables being read now.
    open_variables: Vec<String>,
    /// Blocks, arrays, files and variables around the place being read.
    depth: u32,
    includes: usize,
    warnings: Vec<Fault>,
}

/// A file that can't be read, or something in it.
enum FileProblem {
    Itself(SyntaxProblem),
    Inside(Box<Fault>),
}

impl<'a> Reading<'a> {
    fn new(surroundings: &'a dyn Surroundings) -> Self {
        Self {
            surroundings,
            open_files: Vec::new(),
            open_variables: Vec::new(),
            depth: 0,
            includes: 0,
            warnings: Vec::new(),
        }
    }

    fn read_file(&mut self, path: &Path) -> Result<Map, FileProblem> {
        let shown = path.display().to_string();
        let loaded = self.surroundings.load(path).map_err(|error| {
            FileProblem::Itself(SyntaxProblem::Unreadable {
                path: shown.clone(),
                error: error.to_string(),
            })
        })?;
        if self.open_files.contains(&loaded.identity) {
            return Err(FileProblem::Itself(SyntaxProblem::IncludeCycle(shown)));
        }
        let text = String::from_utf8(loaded.bytes)
            .map_err(|error| FileProblem::Itself(not_utf8(&shown, &error)))?;
        self.open_files.push(loaded.identity);
        let map = self.read_text(&text, path);
        self.open_files.pop();
        map.map_err(|fault| FileProblem::Inside(Box::new(fault)))
    }

    fn read_text(&mut self, text: &str, path: &Path) -> Result<Map, Fault> {
        let mut cursor = Cursor::new(text, path.display().to_string().into());
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        if text.contains('\0') {
            cursor.take_while(|found| found != '\0');
            return Err(Fault::at(&cursor.place(), SyntaxProblem::Nul));
        }
        let blocks = vec![Map::default()];
        self.deeper(&cursor.place())?;
        let map = FileReader {
            cursor,
            directory,
            blocks,
            looked_up: None,
            reading: self,
        }
        .read_document()?;
        self.depth -= 1;
        Ok(map)
    }

    /// Counts one more thing that is read inside another. What has been read is left with
    /// `depth -= 1`; after an error nobody reads on.
    fn deeper(&mut self, place: &Place) -> Result<(), Fault> {
        self.depth += 1;
        match self.depth > DEPTH_MAX {
            true => Err(Fault::at(place, SyntaxProblem::TooDeep)),
            false => Ok(()),
        }
    }

    /// The value of an environment variable, read as if it stood in the file.
    fn read_variable(&mut self, name: &str, place: &Place) -> Result<Option<Data>, Fault> {
        if self.open_variables.iter().any(|open| open == name) {
            return Err(Fault::at(place, SyntaxProblem::VariableCycle(name.into())));
        }
        let Some(text) = self.surroundings.variable(name) else {
            return Ok(None);
        };
        if text.trim().is_empty() {
            return Ok(Some(Data::String("".into())));
        }
        self.deeper(place)?;
        self.open_variables.push(name.to_owned());
        let value = FileReader {
            cursor: Cursor::new(&text, format!("${name}").into()),
            directory: PathBuf::new(),
            blocks: vec![Map::default()],
            looked_up: None,
            reading: self,
        }
        .read_lone_value();
        self.open_variables.pop();
        self.depth -= 1;
        // The line to go to is the one that uses the variable; the rest says what is in it.
        value.map(Some).map_err(|fault| {
            let problem = SyntaxProblem::VariableValue {
                name: name.to_owned(),
                problem: Box::new(fault.message),
            };
            Fault::at(place, problem)
        })
    }
}

fn not_utf8(path: &str, error: &std::string::FromUtf8Error) -> SyntaxProblem {
    let valid = error
        .as_bytes()
        .get(..error.utf8_error().valid_up_to())
        .unwrap_or_default();
    let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
    SyntaxProblem::NotUtf8 {
        path: path.to_owned(),
        line,
    }
}

/// One file being read.
struct FileReader<'a, 'r, 's> {
    cursor: Cursor<'a>,
    /// Includes are relative to it.
    directory: PathBuf,
    /// Blocks being filled, the file's own first: where variables are looked up.
    blocks: Vec<Map>,
    /// The variable that the value being read was taken from.
    looked_up: Option<Arc<Origin>>,
    reading: &'r mut Reading<'s>,
}

impl FileReader<'_, '_, '_> {
    // ---- the file ----

    fn read_document(mut self) -> Result<Map, Fault> {
        // Braces around the whole file, as JSON has them; nats-server allows several.
        let mut open_braces = 0_u64;
        let mut first_brace = self.cursor.place();
        loop {
            self.cursor.skip_blank();
            let place = self.cursor.place();
            match self.cursor.peek() {
                None => break,
                Some('{') => {
                    self.cursor.next();
                    if open_braces == 0 {
                        first_brace = place;
                    }
                    open_braces += 1;
                }
                Some('}') => {
                    self.cursor.next();
                    match open_braces.checked_sub(1) {
                        Some(fewer) => open_braces = fewer,
                        None => self.accept_surplus_brace(&place)?,
                    }
                    self.cursor.skip_blank();
                    let _ = self.cursor.eat(',') || self.cursor.eat(';');
                }
                Some(_) => {
                    self.read_entry(Inside::File)?;
                    self.end_entry(Inside::File, '}')?;
                }
            }
        }
        if open_braces > 0 {
            let warning = Fault::at(&first_brace, SyntaxProblem::BraceNotClosed);
            self.reading.warnings.push(warning);
        }
        Ok(self.blocks.pop().unwrap_or_default())
    }

    /// A `}` that closes nothing is forgiven where nothing follows it.
    fn accept_surplus_brace(&mut self, place: &Place) -> Result<(), Fault> {
        self.cursor.skip_blank();
        if self.cursor.peek().is_some() {
            return Err(Fault::at(place, SyntaxProblem::SurplusBrace));
        }
        let warning = Fault::at(place, SyntaxProblem::BraceClosesNothing);
        self.reading.warnings.push(warning);
        Ok(())
    }

    fn read_lone_value(mut self) -> Result<Data, Fault> {
        self.cursor.skip_whitespace();
        let value = self.read_value()?;
        self.cursor.skip_blank();
        match self.cursor.peek() {
            None => Ok(value.data),
            Some(found) => Err(self.fault_here(SyntaxProblem::AfterValue {
                found,
                inside: Inside::Variable,
            })),
        }
    }

    // ---- entries ----

    fn read_entry(&mut self, inside: Inside) -> Result<(), Fault> {
        let place = self.cursor.place();
        let (key, quoted) = self.read_key()?;
        let separated = self.cursor.peek();
        if !quoted
            && key.eq_ignore_ascii_case("include")
            && separated.is_some_and(char::is_whitespace)
        {
            return self.read_include(&place);
        }
        self.cursor.skip_whitespace();
        if self.cursor.eat(':') || self.cursor.eat('=') {
            self.cursor.skip_spaces();
            match inside {
                Inside::Map => self.cursor.skip_whitespace(),
                _ if self.cursor.peek().is_some_and(is_line_end) => {
                    return Err(Fault::at(&place, SyntaxProblem::ValueOnNextLine(key)));
                }
                _ => {}
            }
        }
        if matches!(self.cursor.peek(), None | Some('}')) {
            return Err(Fault::at(&place, SyntaxProblem::NoValue(key)));
        }
        let value = self.read_value()?;
        self.put(Entry {
            key: key.into(),
            place,
            value,
            used_as_variable: false,
        })
    }

    fn read_key(&mut self) -> Result<(String, bool), Fault> {
        let place = self.cursor.place();
        match self.cursor.peek() {
            Some(quote @ ('"' | '\'')) => {
                self.cursor.next();
                let key = self.cursor.take_while(|found| found != quote).to_owned();
                match self.cursor.eat(quote) {
                    true => Ok((key, true)),
                    false => Err(Fault::at(&place, SyntaxProblem::UnclosedKey)),
                }
            }
            Some(found) if ",;:=[](){".contains(found) => {
                Err(Fault::at(&place, SyntaxProblem::NotAKey(found)))
            }
            _ => {
                let key = self
                    .cursor
                    .take_while(|found| !found.is_whitespace() && !":={".contains(found));
                Ok((key.to_owned(), false))
            }
        }
    }

    /// Takes the separator after an entry or value, and blanks, so that the next thing is an
    /// entry, a value, the closing character or the end.
    fn end_entry(&mut self, inside: Inside, close: char) -> Result<(), Fault> {
        let line_end = self.cursor.skip_blank();
        let separator = self.cursor.eat(',') || (inside != Inside::Array && self.cursor.eat(';'));
        self.cursor.skip_blank();
        match self.cursor.peek() {
            // The list itself says better what is wrong.
            Some('}') if inside == Inside::Array => Ok(()),
            Some(found) if !line_end && !separator && found != close => {
                Err(self.fault_here(SyntaxProblem::AfterValue { found, inside }))
            }
            _ => Ok(()),
        }
    }

    /// Adds an entry to the innermost block.
    fn put(&mut self, entry: Entry) -> Result<(), Fault> {
        let place = entry.place.clone();
        let Some(block) = self.blocks.last_mut() else {
            return Ok(());
        };
        let replaced = block.put(entry);
        let extent = block.extent();
        if let Some(replaced) = replaced
            && replaced.place.file == place.file
            && self.reading.warnings.len() < WARNINGS_MAX
        {
            let problem = SyntaxProblem::WrittenTwice {
                key: replaced.key.to_string(),
                first_line: replaced.place.line,
            };
            self.reading.warnings.push(Fault::at(&place, problem));
        }
        check_extent(extent, &place)
    }

    // ---- includes ----

    fn read_include(&mut self, place: &Place) -> Result<(), Fault> {
        self.cursor.skip_spaces();
        let name = self.read_include_name()?;
        self.reading.includes += 1;
        if self.reading.includes > INCLUDES_MAX {
            return Err(Fault::at(place, SyntaxProblem::TooManyIncludes));
        }
        let path = self.directory.join(name);
        let map = self
            .reading
            .read_file(&path)
            .map_err(|problem| match problem {
                FileProblem::Itself(problem) => Fault::at(place, problem),
                FileProblem::Inside(mut fault) => {
                    fault.included_in(place.clone());
                    *fault
                }
            })?;
        map.into_entries()
            .into_iter()
            .try_for_each(|entry| self.put(entry))
    }

    fn read_include_name(&mut self) -> Result<String, Fault> {
        let place = self.cursor.place();
        let name = match self.cursor.peek() {
            Some(quote @ ('"' | '\'')) => {
                self.cursor.next();
                let name = self.cursor.take_while(|found| found != quote);
                if !self.cursor.eat(quote) {
                    return Err(Fault::at(&place, SyntaxProblem::UnclosedString));
                }
                name
            }
            Some('[' | '{' | '(') => "",
            _ => self.cursor.take_while(|found| {
                !is_space(found) && !is_line_end(found) && !matches!(found, ';' | '}')
            }),
        };
        match name.is_empty() {
            true => Err(Fault::at(&place, SyntaxProblem::IncludeWithoutFile)),
            false => Ok(name.to_owned()),
        }
    }

    // ---- values ----

    fn read_value(&mut self) -> Result<Value, Fault> {
        let place = self.cursor.place();
        let data = match self.cursor.peek() {
            Some('[') => self.read_array(&place)?,
            Some('{') => self.read_map(&place)?,
            Some('\'') => self.read_single_quoted(&place)?,
            Some('"') => self.read_double_quoted(&place)?,
            Some('(') => self.read_block(&place)?,
            _ => self.read_bare(&place)?,
        };
        check_extent(data.extent(), &place)?;
        let from = self.looked_up.take();
        Ok(Value { data, place, from })
    }

    fn read_array(&mut self, opened: &Place) -> Result<Data, Fault> {
        self.reading.deeper(opened)?;
        self.cursor.next();
        let mut array = Array::default();
        self.cursor.skip_blank();
        loop {
            match self.cursor.peek() {
                // No value begins with a brace that closes: the list should have ended before.
                None | Some('}') => {
                    return Err(Fault::at(opened, SyntaxProblem::Unclosed('[')));
                }
                Some(']') => break,
                Some(_) => {}
            }
            let place = self.cursor.place();
            array.push(self.read_value()?);
            check_extent(array.extent(), &place)?;
            self.end_entry(Inside::Array, ']')?;
        }
        self.cursor.next();
        self.reading.depth -= 1;
        Ok(Data::Array(Arc::new(array)))
    }

    fn read_map(&mut self, opened: &Place) -> Result<Data, Fault> {
        self.reading.deeper(opened)?;
        self.cursor.next();
        self.blocks.push(Map::default());
        self.cursor.skip_blank();
        loop {
            match self.cursor.peek() {
                None => return Err(Fault::at(opened, SyntaxProblem::Unclosed('{'))),
                Some('}') => break,
                Some(_) => {}
            }
            self.read_entry(Inside::Map)?;
            self.end_entry(Inside::Map, '}')?;
        }
        self.cursor.next();
        self.reading.depth -= 1;
        let map = self.blocks.pop().unwrap_or_default();
        Ok(Data::Map(Arc::new(map)))
    }

    fn read_single_quoted(&mut self, place: &Place) -> Result<Data, Fault> {
        self.cursor.next();
        let text = self.cursor.take_while(|found| found != '\'');
        match self.cursor.eat('\'') {
            true => Ok(Data::String(text.into())),
            false => Err(Fault::at(place, SyntaxProblem::UnclosedString)),
        }
    }

    fn read_double_quoted(&mut self, place: &Place) -> Result<Data, Fault> {
        self.cursor.next();
        let mut bytes = Vec::new();
        loop {
            let plain = self.cursor.take_while(|found| !matches!(found, '"' | '\\'));
            bytes.extend_from_slice(plain.as_bytes());
            match self.cursor.peek() {
                None => return Err(Fault::at(place, SyntaxProblem::UnclosedString)),
                Some('"') => break,
                Some(_) => self.read_escape(&mut bytes)?,
            }
        }
        self.cursor.next();
        text_of(bytes, place)
    }

    /// Takes a `\` and what follows it.
    fn read_escape(&mut self, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        let place = self.cursor.place();
        self.cursor.next();
        let found = self.cursor.next();
        bytes.push(match found {
            Some('t') => b'\t',
            Some('n') => b'\n',
            Some('r') => b'\r',
            Some('"') => b'"',
            Some('\\') => b'\\',
            Some('x') => {
                let digits: String = self.cursor.rest().chars().take(2).collect();
                // from_str_radix alone would take a sign for a digit.
                let byte = u8::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|_| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
                    .filter(|_| digits.len() == 2)
                    .ok_or_else(|| Fault::at(&place, SyntaxProblem::BadHex(digits)))?;
                self.cursor.next();
                self.cursor.next();
                byte
            }
            other => return Err(Fault::at(&place, SyntaxProblem::BadEscape(other))),
        });
        Ok(())
    }

    /// `(`, then anything, until a line that begins with `)` and holds nothing else.
    fn read_block(&mut self, opened: &Place) -> Result<Data, Fault> {
        self.cursor.next();
        let start = self.cursor.rest();
        let mut after_line_end = false;
        loop {
            let so_far = start.len() - self.cursor.rest().len();
            let Some(found) = self.cursor.next() else {
                return Err(Fault::at(opened, SyntaxProblem::UnclosedBlock));
            };
            let alone =
                matches!(self.cursor.peek(), None | Some('\n')) || self.cursor.starts_with("\r\n");
            if found == ')' && after_line_end && alone {
                return Ok(Data::String(start[..so_far].into()));
            }
            after_line_end = found == '\n';
        }
    }

    /// A word without quotes: number, boolean, date, variable or text.
    fn read_bare(&mut self, place: &Place) -> Result<Data, Fault> {
        let mut bytes = Vec::new();
        let mut escaped = false;
        loop {
            let plain = self.cursor.take_while(|found| {
                !is_space(found)
                    && !is_line_end(found)
                    && !matches!(found, ';' | ',' | ']' | '}' | '\'' | '\\')
            });
            bytes.extend_from_slice(plain.as_bytes());
            match self.cursor.peek() {
                Some('\\') => {
                    escaped = true;
                    self.read_escape(&mut bytes)?;
                }
                Some('\'') => return Err(self.fault_here(SyntaxProblem::QuoteInWord)),
                _ => break,
            }
        }
        if bytes.is_empty() {
            return Err(Fault::at(place, SyntaxProblem::EmptyValue));
        }
        let text = text_of(bytes, place)?;
        let Data::String(word) = &text else {
            return Ok(text);
        };
        if escaped {
            return Ok(text);
        }
        match read_word(word).map_err(|problem| Fault::at(place, problem))? {
            Word::Data(data) => Ok(data),
            Word::Variable(name) => self.look_up(&name, place),
        }
    }

    /// The nearest block that has the key so far, outward; then the environment.
    fn look_up(&mut self, name: &str, place: &Place) -> Result<Data, Fault> {
        if name.is_empty() || name.starts_with('{') {
            return Err(Fault::at(place, SyntaxProblem::VariableUnnamed));
        }
        let mut blocks = self.blocks.iter_mut().rev();
        if let Some((data, origin)) = blocks.find_map(|block| block.take_as_variable(name)) {
            self.looked_up = Some(origin);
            return Ok(data);
        }
        let value = self.reading.read_variable(name, place)?;
        let value =
            value.ok_or_else(|| Fault::at(place, SyntaxProblem::VariableUnset(name.to_owned())))?;
        self.looked_up = Some(Arc::new(Origin {
            name: name.into(),
            place: None,
        }));
        Ok(value)
    }

    fn fault_here(&self, problem: SyntaxProblem) -> Fault {
        Fault::at(&self.cursor.place(), problem)
    }
}

fn text_of(bytes: Vec<u8>, place: &Place) -> Result<Data, Fault> {
    String::from_utf8(bytes)
        .map(|text| Data::String(text.into()))
        .map_err(|_| Fault::at(place, SyntaxProblem::EscapesNotUtf8))
}

fn check_extent(extent: Extent, place: &Place) -> Result<(), Fault> {
    if extent.depth > DEPTH_MAX {
        return Err(Fault::at(place, SyntaxProblem::TooDeep));
    }
    if extent.values > VALUES_MAX {
        return Err(Fault::at(place, SyntaxProblem::TooManyValues));
    }
    if extent.text_bytes > TEXT_BYTES_MAX {
        return Err(Fault::at(place, SyntaxProblem::TooMuchText));
    }
    Ok(())
}
