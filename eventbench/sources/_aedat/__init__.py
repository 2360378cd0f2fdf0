"""How AEDAT files are decoded: headers, containers, and how packets are packed."""
