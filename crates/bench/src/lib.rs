//! Load generators that cost far less than the servers they measure.
