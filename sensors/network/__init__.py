"""Network sources: capture, header walk, flows, protocol parsers, the scapy worker."""
