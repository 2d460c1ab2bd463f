"""The decision core: pure functions over leads, with no input or output."""
