//! What an answer depends on besides the table: what it embeds, what it is filtered by, and everything where that is not
//! understood.
