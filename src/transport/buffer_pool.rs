//! Buffers shared by the connections of a worker. They run on one thread, so one buffer for reading is enough.

use std::{
    cell::{Cell, RefCell, RefMut},
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::web::BytesMut;
use tokio::io::{AsyncRead, ReadBuf};

const READ_BYTES: usize = 16 * 1024;
/// How much of a response is collected before it is written.
pub const WRITE_BYTES: usize = 16 * 1024;
/// Buffers kept for the next responses. More are in use only while clients read slowly.
const POOLED_MAX: usize = 4;
/// Larger buffers are not kept.
const POOLED_CAPACITY_MAX: usize = 4 * WRITE_BYTES;

pub struct BufferPool {
    reading: RefCell<Box<[u8]>>,
    writing: RefCell<Vec<BytesMut>>,
    frames: Cell<Vec<u8>>,
}

impl Default for BufferPool {
    fn default() -> Self {
        Self { reading: RefCell::new(vec![0; READ_BYTES].into()), writing: RefCell::default(), frames: Cell::default() }
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

    /// The buffer for reading, for as long as a connection is polled.
    pub fn reading(&self) -> RefMut<'_, Box<[u8]>> {
        self.reading.borrow_mut()
    }

    /// An empty buffer for the output of an HTTP/2 connection.
    pub fn take_frames(&self) -> Vec<u8> {
        self.frames.take()
    }

    pub fn put_frames_back(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= POOLED_CAPACITY_MAX {
            buffer.clear();
            self.frames.replace(buffer);
        }
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
