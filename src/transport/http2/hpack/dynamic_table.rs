//! The fields that the client has added (RFC 7541 section 2.3.2).

use std::collections::VecDeque;

/// `SETTINGS_HEADER_TABLE_SIZE` as it is at first (RFC 9113 section 6.5.2); we never change it.
pub const SIZE_MAX: usize = 4096;
/// What an entry counts beside its text (RFC 7541 section 4.1).
const ENTRY_OVERHEAD: usize = 32;
/// The buffer grows by this much: it is kept as long as the connection.
const GROWTH: usize = 256;

#[derive(Debug)]
pub struct DynamicTable {
    /// Names and values, oldest first.
    text: Vec<u8>,
    /// The beginning of `text` that belonged to evicted entries.
    evicted: usize,
    /// Newest first.
    entries: VecDeque<Entry>,
    /// As RFC 7541 section 4.1 counts it.
    size: usize,
    max_size: usize,
}

/// A field of at most [`SIZE_MAX`] bytes, and where it is in the text.
#[derive(Clone, Copy, Debug)]
struct Entry {
    start: u16,
    name_len: u16,
    value_len: u16,
}

impl Default for DynamicTable {
    fn default() -> Self {
        Self { text: Vec::new(), evicted: 0, entries: VecDeque::new(), size: 0, max_size: SIZE_MAX }
    }
}

impl DynamicTable {
    /// The field added last has index 0.
    pub fn get(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let entry = self.entries.get(index)?;
        let start = usize::from(entry.start);
        let text = self.text.get(start..start + entry.text_len())?;
        text.split_at_checked(usize::from(entry.name_len))
    }

    /// Adds a field. One that is too large for the table empties it (RFC 7541 section 4.4).
    pub fn insert(&mut self, name: &[u8], value: &[u8]) {
        let text_len = name.len() + value.len();
        let size = text_len + ENTRY_OVERHEAD;
        self.evict_above(self.max_size.saturating_sub(size));
        let (Ok(name_len), Ok(value_len)) = (u16::try_from(name.len()), u16::try_from(value.len())) else { return };
        if size > self.max_size {
            return;
        }
        self.make_room(text_len);
        let Ok(start) = u16::try_from(self.text.len()) else { return };
        self.text.extend_from_slice(name);
        self.text.extend_from_slice(value);
        self.entries.push_front(Entry { start, name_len, value_len });
        self.size += size;
    }

    /// Sets the limit that the client has chosen, at most [`SIZE_MAX`].
    pub fn set_max_size(&mut self, max_size: usize) {
        self.max_size = max_size;
        self.evict_above(max_size);
        if self.entries.is_empty() {
            *self = Self { max_size, ..Self::default() };
        }
    }

    fn evict_above(&mut self, size: usize) {
        while self.size > size
            && let Some(oldest) = self.entries.pop_back()
        {
            self.size -= oldest.text_len() + ENTRY_OVERHEAD;
            self.evicted += oldest.text_len();
        }
    }

    /// Moves the text to the front of its buffer before the buffer grows.
    fn make_room(&mut self, text_len: usize) {
        if self.text.len() + text_len <= self.text.capacity() {
            return;
        }
        self.text.drain(..self.evicted);
        for entry in &mut self.entries {
            entry.start -= self.evicted as u16;
        }
        self.evicted = 0;
        let needed = self.text.len() + text_len;
        self.text.reserve_exact(needed.next_multiple_of(GROWTH) - self.text.len());
    }
}

impl Entry {
    fn text_len(self) -> usize {
        usize::from(self.name_len) + usize::from(self.value_len)
    }
}
