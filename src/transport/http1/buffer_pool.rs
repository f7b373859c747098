//! BufferPool shared by the connections of a worker. They run on one thread, so one buffer for reading is enough.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::web::BytesMut;
use tokio::io::{AsyncRead, ReadBuf};

const READ_BYTES: usize = 16 * 1024;
/// How much of a response is collected before it is written.
pub const WRITE_BYTES: usize = 16 * 1024;
/// BufferPool kept for the next responses. More are in use only while clients read slowly.
const POOLED_MAX: usize = 4;
/// Larger buffers are not kept.
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
    /// Reads and appends to `into`, which is allocated to fit if it was empty.
    pub fn poll_read<T: AsyncRead + Unpin>(
        &self,
        io: &mut T,
        context: &mut Context<'_>,
        into: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        let mut buffer = self.reading.borrow_mut();
        let mut buffer = ReadBuf::new(&mut buffer);
        ready!(Pin::new(io).poll_read(context, &mut buffer))?;
        let received = buffer.filled();
        if into.is_empty() {
            *into = BytesMut::from(received);
        } else {
            into.extend_from_slice(received);
        }
        Poll::Ready(Ok(received.len()))
    }

    /// An empty buffer for a response.
    pub fn take(&self) -> BytesMut {
        self.writing.borrow_mut().pop().unwrap_or_else(|| BytesMut::with_capacity(WRITE_BYTES))
    }

    pub fn put_back(&self, mut buffer: BytesMut) {
        let mut kept = self.writing.borrow_mut();
        if kept.len() < POOLED_MAX && buffer.capacity() <= POOLED_CAPACITY_MAX {
            buffer.clear();
            kept.push(buffer);
        }
    }

    #[cfg(test)]
    pub fn pooled(&self) -> usize {
        self.writing.borrow().len()
    }
}
