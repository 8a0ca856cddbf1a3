"""What a source tree says of its distribution before it is built: who it is, what builds it, what that takes."""
