//! Names for addresses: functions, and where they are written.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use addr2line::Loader;

use super::images::{Image, Images};
use super::stacks::KERNEL;

/// Functions that lie one in another at an address: those that the compiler put into their callers.
const INLINED_MAX: usize = 64;

/// A function at an address.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) function: String,
    /// As the linker knows it.
    pub(super) symbol: String,
    pub(super) file: String,
    pub(super) line: u32,
}

/// Knows names, and reads of each image what it needs when it is first asked for one.
pub(super) struct Symbols<'a> {
    images: &'a Images,
    loaders: HashMap<usize, Option<Loader>>,
}

impl<'a> Symbols<'a> {
    pub(super) fn new(images: &'a Images) -> Self {
        Self {
            images,
            loaders: HashMap::new(),
        }
    }

    /// The functions at an address: the innermost first, then the one that it was put into.
    pub(super) fn places(&mut self, address: u64) -> Vec<Place> {
        if address == KERNEL {
            return vec![Place::named("[kernel]")];
        }
        let Some((number, image)) = self.images.of(address) else {
            return vec![Place::named("[unknown]")];
        };
        let loader = match self.loaders.entry(number) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(load(image)),
        };
        let at = address.wrapping_sub(image.bias);
        let places = loader.as_ref().map(|loader| places(loader, at));
        match places {
            Some(places) if !places.is_empty() => places,
            _ => vec![Place::named(&image.name)],
        }
    }
}

impl Place {
    fn named(name: &str) -> Self {
        Self {
            function: name.to_owned(),
            symbol: name.to_owned(),
            ..Self::default()
        }
    }
}

fn load(image: &Image) -> Option<Loader> {
    let path = image.path.as_ref()?;
    match Loader::new(path) {
        Ok(loader) => Some(loader),
        Err(error) => {
            tracing::debug!(image = %image.name, %error, "no names for what is in it");
            None
        }
    }
}

fn places(loader: &Loader, at: u64) -> Vec<Place> {
    let mut places = Vec::new();
    if let Ok(mut frames) = loader.find_frames(at) {
        while let Ok(Some(frame)) = frames.next() {
            let mut place = Place::default();
            if let Some(name) = &frame.function {
                place.symbol = name.raw_name().unwrap_or_default().into_owned();
                place.function = name.demangle().unwrap_or_default().into_owned();
            }
            if let Some(location) = &frame.location {
                place.file = location.file.unwrap_or_default().to_owned();
                place.line = location.line.unwrap_or(0);
            }
            places.push(place);
            if places.len() >= INLINED_MAX {
                break;
            }
        }
    }
    // The linker's name says of which crate it is; what lines are known by need not.
    if let Some(symbol) = loader.find_symbol(at) {
        if places.is_empty() {
            places.push(Place::default());
        }
        if let Some(outermost) = places.last_mut() {
            outermost.function = addr2line::demangle_auto(symbol.into(), None).into_owned();
            outermost.symbol = symbol.to_owned();
        }
    }
    places.retain(|place| !place.function.is_empty());
    for place in &mut places {
        place.function = with_module(without_hash(&place.function), &place.file);
    }
    places
}

/// A name of Rust's older kind ends with a hash that says nothing to people.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            path
        }
        _ => name,
    }
}

/// What stands with the lines of a function that was put into another is often its bare name, with all that its types
/// are. The file says of which module it is.
fn with_module(name: &str, file: &str) -> String {
    let bare = name.split('<').next().unwrap_or_default();
    match module(file) {
        Some(module) if !bare.is_empty() && !bare.contains("::") => format!("{module}::{bare}"),
        _ => name.to_owned(),
    }
}

/// The module that is usually in a file: `…/tokio-1.54.1/src/runtime/mod.rs` is `tokio::runtime`.
fn module(file: &str) -> Option<String> {
    let (folders, inside) = file.rsplit_once("/src/")?;
    let (above, folder) = folders.rsplit_once('/').unwrap_or(("", folders));
    let ours = match above.ends_with("crates") {
        true => "recado_",
        false => "",
    };
    // Behind a name from the registry stands its version.
    let folder = match folder.rsplit_once('-') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => name,
        _ => folder,
    };
    let inside = inside.strip_suffix(".rs")?;
    let inside = inside.strip_suffix("/mod").unwrap_or(inside);
    let crate_name = format!("{ours}{}", folder.replace('-', "_"));
    Some(match inside {
        "lib" | "main" | "mod" => crate_name,
        _ => format!("{crate_name}::{}", inside.replace('/', "::")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_behind_names_are_left_out() {
        assert_eq!(without_hash("a::b::h0123456789abcdef"), "a::b");
        assert_eq!(without_hash("a::hb"), "a::hb");
        assert_eq!(without_hash("memcpy"), "memcpy");
    }

    #[test]
    fn a_bare_name_gets_its_module() {
        let rust = "/rustc/59807616/library/core/src/slice/mod.rs";
        let tokio = "/r/index.crates.io-1949/tokio-util-0.7.1/src/lib.rs";
        for (name, file, expected) in [
            (
                "write",
                "/x/crates/log/src/disk.rs",
                "recado_log::disk::write",
            ),
            ("next<u8>", rust, "core::slice::next"),
            ("{closure#0}<(), T>", tokio, "tokio_util::{closure#0}"),
            ("a::b", rust, "a::b"),
            ("<T as A>::b", rust, "<T as A>::b"),
            ("__send", "", "__send"),
            ("f", "csu/start.c", "f"),
            ("f", "/x/src/start.c", "f"),
        ] {
            assert_eq!(with_module(name, file), expected, "{name} in {file}");
        }
    }

    #[test]
    fn an_address_of_this_program_has_its_name() {
        let images = Images::read().unwrap();
        let mut symbols = Symbols::new(&images);
        let address = without_hash as *const () as u64;
        let places = symbols.places(address);
        let name = &places.last().unwrap().function;
        assert!(name.ends_with("symbols::without_hash"), "{places:?}");
        assert_eq!(symbols.places(KERNEL)[0].function, "[kernel]");
        assert_eq!(symbols.places(1)[0].function, "[unknown]");
    }
}
