//! Who is interested in a subject.
