#![allow(missing_docs, reason="wip")]
