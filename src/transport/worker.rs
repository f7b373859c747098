//! What the connections of one worker share.

use std::{rc::Rc, sync::Arc};

use actix_http::{KeepAlive, ServiceConfig, ServiceConfigBuilder};
use actix_web::web::BytesMut;

use crate::transport::{buffer_pool::BufferPool, limits::registry::ConnectionRegistry, other_protocol::Others};

pub struct Worker<S> {
    pub service: Rc<S>,
    pub connections: Arc<ConnectionRegistry>,
    pub buffers: BufferPool,
    pub others: Others,
    config: ServiceConfig,
}

impl<S> Worker<S> {
    /// Must be called on the worker's thread, where the clock of the `Date` header runs.
    pub fn new(service: Rc<S>, connections: Arc<ConnectionRegistry>, others: Others) -> Self {
        // Only its keep-alive setting and its date are used.
        let config = ServiceConfigBuilder::new().keep_alive(KeepAlive::Os).build();
        Self { service, connections, buffers: BufferPool::default(), others, config }
    }

    /// For actix-http's codec.
    pub fn config(&self) -> &ServiceConfig {
        &self.config
    }

    /// Writes the `Date` field (RFC 9110 section 6.6.1) as HTTP/1 does, with its line end.
    pub fn write_date(&self, out: &mut BytesMut) {
        self.config.write_date_header(out, false);
    }

    /// The value of the `Date` field.
    pub fn date(&self) -> String {
        let mut line = BytesMut::with_capacity(64);
        self.write_date(&mut line);
        let value = line.get("date: ".len()..).unwrap_or_default();
        String::from_utf8_lossy(value.trim_ascii_end()).into_owned()
    }
}
