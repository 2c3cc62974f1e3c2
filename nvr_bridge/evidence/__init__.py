"""What others can check without this engine: hashes, proofs, signatures, and the packs that carry them."""
