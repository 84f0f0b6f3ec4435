"""What other devices and programs tell a sensor: syslog, CEF, LEEF, Suricata, Zeek, NetFlow and IPFIX."""
