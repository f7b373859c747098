//! What all connections of a worker read into and write from. A worker is one thread, and its connections have their turns
//! one after the other, so one buffer to read into is enough.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::web::BytesMut;
use tokio::io::{AsyncRead, ReadBuf};

/// What is read at once.
const READ_BYTES: usize = 16 * 1024;
/// What an answer is collected up to, before it is written.
pub const WRITE_BYTES: usize = 16 * 1024;
/// Buffers that are kept for the next answers. There are more only while clients are slow to take theirs.
const POOLED_MAX: usize = 4;
/// Larger ones are not kept.
const POOLED_CAPACITY_MAX: usize = 4 * WRITE_BYTES;

pub struct BufferPool {
    reading: RefCell<Box<[u8]>>,
    writing: RefCell<Vec<BytesMut>>,
}

impl Default for BufferPool {
    fn default() -> Self {
        Self { reading: RefCell::new(vec![0; READ_BYTES].into()), writing: RefCell::default() }
    }
}

impl BufferPool {
    /// Reads, and appends what has come: in as much memory as that takes, and no more, if there was nothing yet.
    pub fn poll_read<T: AsyncRead + Unpin>(
        &self,
        io: &mut T,
        context: &mut Context<'_>,
        into: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        let mut buffer = self.reading.borrow_mut();
        let mut buffer = ReadBuf::new(&mut buffer);
        ready!(Pin::new(io).poll_read(context, &mut buffer))?;
        let came = buffer.filled();
        if into.is_empty() {
            *into = BytesMut::from(came);
        } else {
            into.extend_from_slice(came);
        }
        Poll::Ready(Ok(came.len()))
    }

    /// An empty buffer for an answer.
    pub fn take(&self) -> BytesMut {
        self.writing.borrow_mut().pop().unwrap_or_else(|| BytesMut::with_capacity(WRITE_BYTES))
    }

    /// The answer is written.
    pub fn put_back(&self, mut buffer: BytesMut) {
        let mut kept = self.writing.borrow_mut();
        if kept.len() < POOLED_MAX && buffer.capacity() <= POOLED_CAPACITY_MAX {
            buffer.clear();
            kept.push(buffer);
        }
    }

    /// How many are there for the next answers.
    #[cfg(test)]
    pub fn pooled(&self) -> usize {
        self.writing.borrow().len()
    }
}
