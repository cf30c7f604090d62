//! How processes that work on one run at the same time share its items.

use std::fmt;

/// One of several processes that share the items of a run, each its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// Process `index`, from 0, of `count`.
    ///
    /// # Errors
    /// Says which of the two cannot be.
    pub fn new(index: usize, count: usize) -> Result<Self, String> {
        if count == 0 {
            return Err("task count 0: there is at least one task".to_owned());
        }
        if index >= count {
            return Err(format!(
                "task index {index}: tasks are numbered from 0, and there are {count}"
            ));
        }
        Ok(Self { index, count })
    }

    /// Whether it has all items to itself.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        self.count == 1
    }

    /// Its share, dealt out one by one in the order of the items: the same split in every process.
    #[must_use]
    pub fn of<T>(self, items: Vec<T>) -> Vec<T> {
        let mine = |(at, item)| (at % self.count == self.index).then_some(item);
        items.into_iter().enumerate().filter_map(mine).collect()
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} of {}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_take_every_item_once() {
        let items: Vec<u32> = (0..7).collect();
        for count in 1..10 {
            let shares = (0..count).map(|index| Shard::new(index, count).unwrap());
            let mut dealt: Vec<u32> = shares.flat_map(|shard| shard.of(items.clone())).collect();
            dealt.sort_unstable();
            assert_eq!(dealt, items, "{count}");
        }
        assert_eq!(Shard::new(1, 3).unwrap().of(items), [1, 4]);
        assert!(Shard::new(0, 1).unwrap().is_whole() && !Shard::new(0, 2).unwrap().is_whole());
        assert!(Shard::new(3, 4).unwrap().of(vec![1, 2, 3]).is_empty());
        assert!(Shard::new(2, 2).is_err() && Shard::new(0, 0).is_err());
    }
}
