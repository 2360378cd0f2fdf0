"""Stores: one HDF5 file of events per dataset, one of frames per dataset and pipeline. See LAYOUT.md."""
