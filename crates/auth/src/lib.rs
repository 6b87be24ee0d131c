//! Who may connect: credentials, compared as pure decisions.
