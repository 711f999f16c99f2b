"""The demo MSP: servers on loopback in the shapes of ConnectWise PSA and NinjaOne, over one world."""
