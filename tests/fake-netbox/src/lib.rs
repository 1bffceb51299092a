//! A NetBox look-alike.
