//! The program `recado` as a user gets it: run as a process of its own against a server that is
//! one too, judged by its output and its exit status.

#![forbid(unsafe_code)]

mod ask;
mod bench;
mod buckets;
mod causes;
mod chat;
mod consumers;
mod contexts;
mod credentials;
mod doctor;
mod errors;
mod every_command;
mod everywhere;
mod exec;
mod explain;
mod failure_table;
mod failures;
mod guard;
mod harness;
mod language;
mod latency;
mod letters;
mod login;
mod masked;
mod network;
mod ping;
mod pool;
mod processes;
mod publish;
mod relay;
mod screen;
mod service;
mod stored;
mod streams;
mod subscribe;
mod terminal;
mod threads;
mod tls;
mod top;
mod tour;
mod trace;
mod transcript;
mod verbatim;
mod wait_command;
mod waiting;
mod wire;
mod workshop;
