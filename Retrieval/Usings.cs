global using Recsys.Catalog;
global using Recsys.Catalog.Ports;
