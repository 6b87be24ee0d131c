//! Others' test suites and clients, run against recado-server.
